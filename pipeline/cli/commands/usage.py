"""``seatbeat usage``: who used what, when, and for how long."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence

import orjson
from rich.table import Table

from pipeline.application.slot_reading import Named, Usage, read_usage, read_usage_as_closed
from pipeline.cli.as_of_option import add_as_of_option, known_of_any
from pipeline.cli.grounds import closed_note
from pipeline.cli.store_options import add_store_options, ask_store, parse_instant
from pipeline.cli.tables.output import console, duration, minute, report, shown
from pipeline.codec.csv_text import csv_cell
from pipeline.codec.reports.session_records import SessionRecord, session_record
from pipeline.model.errors import InputError
from pipeline.model.instants import EARLIEST_AT, LATEST_AT
from pipeline.model.text import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "usage",
        help="who used what, when, and for how long",
        description="Closed quarters are told under the contract and the voids they were closed with, the others as "
        "they are known now.",
    )
    add_store_options(parser)
    parser.add_argument("--product", default="", help="a product of the contract, or a code as reported")
    parser.add_argument("--user", default="")
    parser.add_argument("--machine", default="")
    parser.add_argument("--from", dest="from_at", type=parse_instant, default=EARLIEST_AT, metavar="WHEN", help="UTC")
    parser.add_argument("--until", dest="until_at", type=parse_instant, default=LATEST_AT, metavar="WHEN", help="UTC")
    add_as_of_option(parser, "all of it under that")
    parser.add_argument("--output", choices=("table", "json", "csv"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the sessions on stdout."""
    if args.from_at >= args.until_at:
        raise InputError("--until", "is not after --from", "Give a later --until")

    def ask(client: Client, reading: ContractReading, _engine: str) -> Usage:
        asked = {"product": args.product, "user": fold(args.user), "machine": fold(args.machine)}
        if not args.as_of:
            return read_usage_as_closed(client, reading, from_at=args.from_at, until_at=args.until_at, **asked)
        known = known_of_any(args.as_of, client, reading)
        sessions = read_usage(client, known, from_at=args.from_at, until_at=args.until_at, **asked)
        return Usage(tuple(sessions), () if known.closed is None else (known,))

    usage = ask_store(args, ask)
    found, notes = usage.sessions, [closed_note(one) for one in usage.closed]
    if args.output == "json":
        records = [session_record(*one) for one in found]
        sys.stdout.buffer.write(orjson.dumps(records, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    elif args.output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\r\n")
        writer.writerow(SessionRecord.__annotations__)
        for one in found:
            writer.writerow([csv_cell(value) for value in session_record(*one).values()])
    else:
        _print_table(found)
        for note in notes:
            console().print(shown(note))
        return 0
    for note in notes:
        report(note)
    return 0


def _print_table(found: Sequence[Named]) -> None:
    table = Table()
    for name in ("Product", "User", "Machine", "Opened", "Last seen"):
        table.add_column(name, overflow="fold")
    table.add_column("Open for", justify="right")
    table.add_column("Slots used", justify="right")
    table.add_column("Usage")
    for session, product, country in found:
        record = session_record(session, product, country)
        table.add_row(
            shown(product),
            shown(record["user"]),
            shown(record["machine"]),
            minute(session.opened_at),
            minute(session.last_at),
            duration(session.last_at - session.opened_at),
            str(record["used_slots"]),
            record["usage"],
        )
    screen = console()
    screen.print(table)
    screen.print(f"{len(found):,} sessions; times are UTC, a slot is ten minutes")
