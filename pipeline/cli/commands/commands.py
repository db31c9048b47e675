"""``seatbeat commands``: an account's commands in log order, and what became of each."""

from __future__ import annotations

import argparse
import sys

import orjson
from rich.table import Table

from pipeline.application.token_settlement import refused_token_orders
from pipeline.cli.store_options import add_store_options, ask_store
from pipeline.cli.tables.output import console, shown
from pipeline.codec.reports.outcome_records import OutcomeRecord, outcome_record
from pipeline.codec.statement.statement_json import read_statement_json
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
        sys.stdout.buffer.write(orjson.dumps(records, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return 0
    table = Table()
    for name in ("Received", "Id", "By", "Order", "Outcome"):
        table.add_column(name, overflow="fold")
    for one in records:
        table.add_row(one["received_at"], *map(shown, (one["id"], one["by"], one["what"], _outcome(one))))
    screen = console()
    screen.print(table)
    screen.print(f"{len(records):,} commands; times are UTC")
    return 0


def _outcome(record: OutcomeRecord) -> str:
    code = f": {record['code']}" if record["code"] not in {None, record["outcome"]} else ""
    return f"{record['outcome']}{code}"
