"""``seatbeat explain``: what stands behind an amount or a count, down to sessions, and what did not count and why."""

from __future__ import annotations

import argparse

from rich.tree import Tree

from pipeline.application.account_view import AccountView
from pipeline.application.explain.explained_line import explained_lines
from pipeline.application.explain.explained_slot import explained_slot
from pipeline.application.quarter.quarter_grounds import basis_record, closed_note
from pipeline.cli.as_of_option import add_as_of_option
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import add_store_options, ask_account, parse_instant, parse_period
from pipeline.cli.tables.cells import literal
from pipeline.cli.tables.console import console
from pipeline.cli.tables.flex_line_tree import flex_line_tree
from pipeline.cli.tables.pooled_line_tree import pooled_line_tree
from pipeline.cli.tables.printing import print_bytes, print_json
from pipeline.cli.tables.seat_line_tree import seat_line_tree
from pipeline.cli.tables.slot_tree import slot_tree
from pipeline.codec.reports.line_records import line_explanation_json
from pipeline.codec.reports.session_records import explanation_record
from pipeline.model.errors import InputError
from pipeline.rules.explain.flex_explanation import FlexLineExplanation
from pipeline.rules.explain.line_explanation import ExplainedLine, LineExplanation
from pipeline.rules.explain.seat_explanation import SeatLineExplanation


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "explain",
        help=COMMANDS["explain"],
        description="Takes a line of any model apart, or one slot of a pool. A closed quarter is told under the "
        "contract and the orders that it was closed with.",
    )
    add_store_options(parser)
    line = parser.add_argument_group("a line of a statement")
    line.add_argument("--period", type=parse_period, metavar="2022Q2")
    line.add_argument("--line", metavar="PRODUCT[/COUNTRY[/MODEL]]", help="all lines that it names")
    slot = parser.add_argument_group("or a slot")
    slot.add_argument("--product")
    slot.add_argument("--slot", type=parse_instant, metavar="2022-05-03T09:10:00Z", help="UTC")
    slot.add_argument("--country", default="", help="else the contract's")
    add_as_of_option(parser, "all of it under that")
    parser.add_argument("--output", choices=("tree", "json"), default="tree")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the explanation on stdout."""
    given = (args.period is not None, args.line is not None, args.product is not None, args.slot is not None)
    if given == (True, True, False, False):
        return _run_line(args)
    if given != (False, False, True, True):
        raise InputError("explain", "is to be asked one thing", "Give --period and --line, or --product and --slot")
    explained, view = ask_account(
        args, lambda view: explained_slot(view, args.product, args.country, args.slot, args.as_of)
    )
    if args.output == "json":
        print_json({**explanation_record(explained), **basis_record(view)})
    else:
        console().print(slot_tree(explained))
        _print_note(view)
    return 0


def _run_line(args: argparse.Namespace) -> int:
    """The same for the lines of a statement that are named."""
    explained = ask_account(args, lambda view: explained_lines(view, args.period, args.line, args.as_of))
    for change in explained.changes:
        report(change)
    if args.output == "json":
        print_bytes(line_explanation_json(explained.lines, basis_record(explained.view)))
    else:
        for line in explained.lines:
            console().print(_line_tree(line))
        _print_note(explained.view)
    return 0


def _line_tree(explained: ExplainedLine) -> Tree:
    match explained:
        case LineExplanation():
            return pooled_line_tree(explained)
        case SeatLineExplanation():
            return seat_line_tree(explained)
        case FlexLineExplanation():
            return flex_line_tree(explained)


def _print_note(view: AccountView) -> None:
    """Say below what a closed quarter is read under."""
    note = closed_note(view)
    if note:
        console().print(literal(note))
