"""``seatbeat commands``: an account's commands in log order, and what became of each."""

from __future__ import annotations

import argparse

from pipeline.application.token_settlement import refused_token_orders
from pipeline.cli.store_options import add_store_options, ask_store
from pipeline.cli.tables.console import console
from pipeline.cli.tables.order_table import print_orders
from pipeline.cli.tables.printing import print_json
from pipeline.codec.reports.outcome_records import OutcomeRecord, outcome_record
from pipeline.codec.statement_reading import read_statement_json
from pipeline.rules.orders.first_of_id import first_of_each
from pipeline.rules.orders.outcomes import outcomes
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.order_log import read_commands


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("commands", help="an account's orders in log order, and what became of each")
    add_store_options(parser)
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the commands on stdout."""

    def ask(client: Client, reading: ContractReading, _engine: str) -> list[OutcomeRecord]:
        logged = read_commands(client, reading.contract.account)
        by_ledger = refused_token_orders(client, reading, first_of_each(logged)[0])
        found = outcomes(reading, logged, read_statement_json, by_ledger)
        return [outcome_record(one, reading.contract.currency) for one in found]

    records = ask_store(args, ask)
    if args.output == "json":
        print_json(records)
        return 0
    print_orders(console(), records)
    return 0
