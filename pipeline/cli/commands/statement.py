"""``seatbeat statement``: the statement of a quarter from stored usage, open or closed (RULES 7)."""

from __future__ import annotations

import argparse

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.statement_life import current_statement, statement_as_of
from pipeline.cli.as_of_option import add_as_of_option
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import add_store_options, ask_account, now_ms, parse_period
from pipeline.cli.tables.statement_remarks import closed_words, report_refused
from pipeline.cli.tables.statement_tables import print_statement
from pipeline.codec.reports.letter_records import printable
from pipeline.model.statements import Statement


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "statement",
        help=COMMANDS["statement"],
        description="A closed quarter is told as it was frozen; an open one as it is known now, with the adjustments "
        "that closed quarters need.",
    )
    add_store_options(parser)
    parser.add_argument("--period", type=parse_period, required=True, metavar="2022Q2")
    add_as_of_option(parser, "the quarter recomputed under that")
    parser.add_argument("--output", choices=("table", "json", "csv"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the statement on stdout."""

    def ask(view: AccountView) -> Statement:
        if args.as_of:
            return statement_as_of(view, args.period, args.as_of, now=now_ms())
        closed = view.closes.quarters.get(args.period.name)
        if closed is not None:
            report(printable(closed_words(closed)))
        else:
            report_refused(view.contract, view.orders)
        return current_statement(view, args.period, now=now_ms())

    print_statement(ask_account(args, ask), args.output)
    return 0
