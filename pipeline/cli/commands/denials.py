"""``seatbeat denials``: what a licence server refused, and what stayed refused (INTERFACES)."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence

import orjson
from rich.table import Table

from pipeline.application.denial_reading import JudgedDenial, read_judged_denials
from pipeline.cli.store_options import add_store_options, ask_store, parse_instant
from pipeline.cli.tables.output import console, minute, shown
from pipeline.codec.reports.denial_records import DenialRecord, denial_record
from pipeline.codec.statement_json import csv_cell
from pipeline.model.errors import InputError
from pipeline.model.instants import EARLIEST_AT, LATEST_AT
from pipeline.model.text import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "denials",
        help="what a licence server refused, and what stayed refused",
        description="Lists the requests that a licence server refused (denied, unsupported) or put off (queued, "
        "dequeued). A denial is true where its user had no checkout of the feature within 10 minutes after it.",
    )
    add_store_options(parser)
    parser.add_argument("--product", default="", help="a product of the contract, or a feature as the server names it")
    parser.add_argument("--user", default="")
    parser.add_argument("--from", dest="from_at", type=parse_instant, default=EARLIEST_AT, metavar="WHEN", help="UTC")
    parser.add_argument("--until", dest="until_at", type=parse_instant, default=LATEST_AT, metavar="WHEN", help="UTC")
    parser.add_argument(
        "--true-only", action="store_true", help="leave out what was followed by a checkout, and queues"
    )
    parser.add_argument("--output", choices=("table", "json", "csv"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the denials on stdout."""
    if args.from_at >= args.until_at:
        raise InputError("--until", "is not after --from", "Give a later --until")

    def ask(client: Client, reading: ContractReading, _engine: str) -> list[JudgedDenial]:
        return read_judged_denials(
            client,
            reading,
            from_at=args.from_at,
            until_at=args.until_at,
            product=args.product,
            user=fold(args.user),
            true_only=args.true_only,
        )

    denials = ask_store(args, ask)
    records = [denial_record(*judged) for judged in denials]
    if args.output == "json":
        sys.stdout.buffer.write(orjson.dumps(records, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    elif args.output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\r\n")
        writer.writerow(DenialRecord.__annotations__)
        for record in records:
            writer.writerow([_cell(value) for value in record.values()])
    else:
        _print_table(denials)
    return 0


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else csv_cell(value)


def _print_table(denials: Sequence[JudgedDenial]) -> None:
    table = Table()
    for name in ("When", "Kind", "True", "Product", "Feature", "User", "Machine", "Reason"):
        table.add_column(name, overflow="fold")
    for denial, product, is_true in denials:
        table.add_row(
            minute(denial.at), denial.kind, {True: "yes", False: "no", None: ""}[is_true], shown(product),
            shown(denial.feature), shown(denial.user), shown(denial.machine), shown(denial.detail),
        )  # fmt: skip
    screen = console()
    screen.print(table)
    refused = sum(judged.is_true is not None for judged in denials)
    true = sum(judged.is_true is True for judged in denials)
    screen.print(
        f"{refused:,} denials, {true:,} of them true (no checkout of the feature by the same user within 10 minutes), "
        f"{len(denials) - refused:,} lines of a queue; times are UTC"
    )
