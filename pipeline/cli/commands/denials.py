"""``seatbeat denials``: what a licence server refused, and what stayed refused (INTERFACES)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pipeline.application.account_view import AccountView
from pipeline.application.denial_reading import JudgedDenial, judged_denials
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.store_options import add_range_options, add_store_options, ask_account, check_range
from pipeline.cli.tables.cells import literal, minute
from pipeline.cli.tables.console import console
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.cli.tables.printing import print_csv, print_json
from pipeline.codec.reports.denial_records import DenialRecord, denial_record
from pipeline.model.text import fold


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "denials",
        help=COMMANDS["denials"],
        description="Lists the requests that a licence server refused (denied, unsupported) or put off (queued, "
        "dequeued). A denial is true where its user had no checkout of the feature within 10 minutes after it.",
    )
    add_store_options(parser)
    parser.add_argument("--product", default="", help="a product of the contract, or a feature as the server names it")
    parser.add_argument("--user", default="")
    add_range_options(parser)
    parser.add_argument(
        "--true-only", action="store_true", help="leave out what was followed by a checkout, and queues"
    )
    parser.add_argument("--output", choices=("table", "json", "csv"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the denials on stdout."""
    check_range(args)

    def ask(view: AccountView) -> list[JudgedDenial]:
        return judged_denials(
            view,
            from_at=args.from_at,
            until_at=args.until_at,
            product=args.product,
            user=fold(args.user),
            true_only=args.true_only,
        )

    denials = ask_account(args, ask)
    records = [denial_record(*judged) for judged in denials]
    if args.output == "json":
        print_json(records)
    elif args.output == "csv":
        print_csv(DenialRecord.__annotations__, ([_cell(value) for value in record.values()] for record in records))
    else:
        _print_table(denials)
    return 0


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _print_table(denials: Sequence[JudgedDenial]) -> None:
    table = FittedTable()
    table.add_whole("When")
    table.add_texts("Kind", "True", "Product", "Feature", "User", "Machine", "Reason")
    for denial, product, is_true in denials:
        table.add_row(
            minute(denial.at), denial.kind, {True: "yes", False: "no", None: ""}[is_true], literal(product),
            literal(denial.feature), literal(denial.user), literal(denial.machine), literal(denial.detail),
        )  # fmt: skip
    screen = console()
    screen.print(table)
    refused = sum(judged.is_true is not None for judged in denials)
    true = sum(judged.is_true is True for judged in denials)
    screen.print(
        f"{refused:,} denials, {true:,} of them true (no checkout of the feature by the same user within 10 minutes), "
        f"{len(denials) - refused:,} lines of a queue; times are UTC"
    )
