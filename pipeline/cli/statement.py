"""``seatbeat statement``: the statement of a quarter from stored usage."""

from __future__ import annotations

import argparse
from typing import Literal, cast

from pipeline import __version__
from pipeline.cli.access import add_store_options, ask_store, parse_period, refuse_other_models
from pipeline.cli.output import report_refused
from pipeline.cli.run import print_statement
from pipeline.model.statement import Statement
from pipeline.rules.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.statements import read_statement


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("statement", help="the statement of a quarter from stored usage")
    add_store_options(parser)
    parser.add_argument("--period", type=parse_period, required=True, metavar="2022Q2")
    parser.add_argument("--output", choices=("table", "json", "csv"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the statement on stdout."""

    def ask(client: Client, reading: ContractReading, engine: str) -> Statement:
        refuse_other_models(reading.contract, args.period, str(args.contract or "the stored contract"))
        report_refused(reading.contract)
        known = cast(Literal["embedded", "server"], engine)
        return read_statement(client, reading, args.period, seatbeat=__version__, engine=known)

    print_statement(ask_store(args, ask), args.output)
    return 0
