"""``seatbeat statement``: the statement of a quarter from stored usage, open or closed (RULES 7)."""

from __future__ import annotations

import argparse
from typing import cast

from pipeline import __version__
from pipeline.application.statement_life import Engine, current_statement, open_statement, read_life
from pipeline.cli.as_of_option import add_as_of_option, closed_as_of, reading_as_of
from pipeline.cli.store_options import add_store_options, ask_store, now_ms, parse_period
from pipeline.cli.tables.console import report
from pipeline.cli.tables.statement_remarks import closed_words, report_refused
from pipeline.cli.tables.statement_tables import print_statement
from pipeline.codec.reports.letter_records import printable
from pipeline.model.instants import Period
from pipeline.model.statements import Statement
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.order_log import read_first_commands


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "statement",
        help="the statement of a quarter from stored usage",
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

    def ask(client: Client, reading: ContractReading, engine: str) -> Statement:
        if args.as_of:
            return _as_of(args.as_of, client, reading, args.period, cast(Engine, engine))
        closed = read_life(client, reading.contract.account).quarters.get(args.period.name)
        if closed is not None:
            report(printable(closed_words(closed)))
        else:
            report_refused(reading.contract, read_first_commands(client, reading.contract.account))
        known = cast(Engine, engine)
        return current_statement(client, reading, args.period, seatbeat=__version__, engine=known, now=now_ms())

    print_statement(ask_store(args, ask), args.output)
    return 0


def _as_of(named: str, client: Client, reading: ContractReading, period: Period, engine: Engine) -> Statement:
    account = reading.contract.account
    closed = closed_as_of(named, read_life(client, account), period)
    if closed is not None:
        return closed.statement
    then = reading_as_of(named, client, account)
    return open_statement(client, then, period, seatbeat=__version__, engine=engine, now=now_ms())
