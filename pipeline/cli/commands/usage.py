"""``seatbeat usage``: who used what, when, and for how long."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pipeline.application.explain.account_usage import CountedSession, UsageQuestion, account_usage
from pipeline.application.quarter.quarter_grounds import closed_note
from pipeline.cli.as_of_option import add_as_of_option
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import add_range_options, add_store_options, ask_account, check_range
from pipeline.cli.tables.cells import duration, literal, minute
from pipeline.cli.tables.console import console
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.cli.tables.printing import print_csv, print_json
from pipeline.codec.reports.session_records import SessionRecord, session_record
from pipeline.model.text import fold
from pipeline.rules.evidence.lengths import open_ms


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "usage",
        help=COMMANDS["usage"],
        description="Closed quarters are told under the contract and the voids they were closed with, the others as "
        "they are known now.",
    )
    add_store_options(parser)
    parser.add_argument("--product", default="", help="a product of the contract, or a code as reported")
    parser.add_argument("--user", default="")
    parser.add_argument("--machine", default="")
    add_range_options(parser)
    add_as_of_option(parser, "all of it under that")
    parser.add_argument("--output", choices=("table", "json", "csv"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the sessions on stdout."""
    check_range(args)
    question = UsageQuestion(args.from_at, args.until_at, args.product, fold(args.user), fold(args.machine))
    usage = ask_account(args, lambda view: account_usage(view, question, args.as_of))
    sessions, notes = usage.sessions, [closed_note(view) for view in usage.closed]
    if args.output == "json":
        print_json([session_record(*counted) for counted in sessions])
    elif args.output == "csv":
        print_csv(SessionRecord.__annotations__, (session_record(*counted).values() for counted in sessions))
    else:
        _print_table(sessions)
        for note in notes:
            console().print(literal(note))
        return 0
    for note in notes:
        report(note)
    return 0


def _print_table(sessions: Sequence[CountedSession]) -> None:
    table = FittedTable()
    table.add_texts("Product", "User", "Machine")
    table.add_whole("Opened", "Last seen")
    table.add_figures("Open for", "Slots used")
    table.add_texts("Usage")
    for session, product, country in sessions:
        record = session_record(session, product, country)
        table.add_row(
            literal(product),
            literal(record["user"]),
            literal(record["machine"]),
            minute(session.opened_at),
            minute(session.last_at),
            duration(open_ms(session)),
            str(record["used_slots"]),
            record["usage"],
        )
    screen = console()
    screen.print(table)
    screen.print(f"{len(sessions):,} sessions; times are UTC, a slot is ten minutes")
