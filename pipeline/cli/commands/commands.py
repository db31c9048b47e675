"""``seatbeat commands``: an account's commands in log order, and what became of each."""

from __future__ import annotations

import argparse

from pipeline.application.account_view import AccountView
from pipeline.application.orders.order_outcomes import order_outcomes
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.store_options import add_store_options, ask_account
from pipeline.cli.tables.console import console
from pipeline.cli.tables.order_table import print_orders
from pipeline.cli.tables.printing import print_json
from pipeline.codec.reports.outcome_records import OutcomeRecord, outcome_record


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("commands", help=COMMANDS["commands"])
    add_store_options(parser)
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the commands on stdout."""

    def ask(view: AccountView) -> list[OutcomeRecord]:
        return [outcome_record(outcome, view.contract.currency) for outcome in order_outcomes(view)]

    records = ask_account(args, ask)
    if args.output == "json":
        print_json(records)
    else:
        print_orders(console(), records)
    return 0
