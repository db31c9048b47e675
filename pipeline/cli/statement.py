"""``seatbeat statement``: the statement of a quarter from stored usage, open or closed (RULES 7)."""

from __future__ import annotations

import argparse
from typing import cast

from pipeline import __version__
from pipeline.cli.access import add_store_options, ask_store, now_ms, parse_period
from pipeline.cli.output import closed_words, report, report_refused
from pipeline.cli.run import print_statement
from pipeline.codec.letter_reports import printable
from pipeline.model.errors import InputError
from pipeline.model.instants import Period
from pipeline.model.statement import Statement
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.closes import Closes
from pipeline.rules.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.commands import read_first_commands
from pipeline.store.contracts import contract_versions, stored_contract
from pipeline.store.life import Engine, current_statement, open_statement, read_life

_HASH = "sha256:"


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
    parser.add_argument(
        "--as-of",
        default="",
        metavar="CLOSE_OR_CONTRACT_VERSION",
        help="a close's id or its quarter: what it froze; or a version of the contract, by its hash or the beginning "
        "of it: the quarter recomputed under that",
    )
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
    frozen = _frozen(named, read_life(client, account), period)
    if frozen is not None:
        return frozen
    version = _version(named, client, account)
    contract = stored_contract(client, account, version)
    if contract is None:
        raise InputError("--as-of", f"no stored contract has the hash {version}", "`seatbeat contract list` has all")
    then = ContractReading(contract, metering_catalogue())
    return open_statement(client, then, period, seatbeat=__version__, engine=engine, now=now_ms())


def _frozen(named: str, life: Closes, period: Period) -> Statement | None:
    """What a close froze, found by its id or its quarter's name; ``None`` where no close is named so."""
    for closed in life.quarters.values():
        if named in {closed.id, closed.period.name}:
            if closed.period != period:
                reason = f"{named} closed {closed.period.name}, not {period.name}"
                raise InputError("--as-of", reason, f"Give --period {closed.period.name}, or leave --as-of out")
            return closed.statement
    return None


def _version(named: str, client: Client, account: str) -> str:
    """The one version of the contract whose hash begins so."""
    beginning = f"{_HASH}{named.removeprefix(_HASH)}"
    found = [one.content_hash for one in contract_versions(client, account) if one.content_hash.startswith(beginning)]
    if len(found) != 1:
        what = f"{len(found)} versions of the contract begin so" if found else "names no close and no contract"
        remedy = "Give a close's id (`seatbeat commands`) or more of a version's hash (`seatbeat contract list`)"
        raise InputError("--as-of", f"{named!r}: {what}", remedy)
    return found[0]
