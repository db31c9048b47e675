"""``--as-of CLOSE_OR_CONTRACT_VERSION``: what a quarter was closed with, or another version of its contract."""

from __future__ import annotations

import argparse

from pipeline.application.statement_life import Known, read_known, read_known_of, read_life
from pipeline.model.errors import InputError
from pipeline.model.instants import Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.closes import Closed, Closes
from pipeline.store.client import Client
from pipeline.store.contract_versions import contract_versions, stored_contract
from pipeline.store.order_log import read_first_commands

_HASH = "sha256:"


def add_as_of_option(parser: argparse._ActionsContainer, told: str) -> None:
    """``told`` is what another version of the contract leads to."""
    parser.add_argument(
        "--as-of",
        default="",
        metavar="CLOSE_OR_CONTRACT_VERSION",
        help="a close's id or its quarter: what it froze; or a version of the contract, by its hash or the beginning "
        f"of it: {told}",
    )


def known_as_of(named: str, client: Client, reading: ContractReading, period: Period) -> Known:
    """What a quarter is to be read under: as it was closed, or as the option names it. Raises ``InputError``."""
    if not named:
        return read_known_of(client, reading, period)
    if closed_as_of(named, read_life(client, reading.contract.account), period) is not None:
        return read_known_of(client, reading, period)
    return _known_under(named, client, reading)


def known_of_any(named: str, client: Client, reading: ContractReading) -> Known:
    """What the close or the version that the option names was or is read under. Raises ``InputError``."""
    _, quarters = read_known(client, reading)
    for period, known in quarters:
        if known.closed is not None and named in {known.closed.id, period.name}:
            return known
    return _known_under(named, client, reading)


def closed_as_of(named: str, life: Closes, period: Period) -> Closed | None:
    """The close of a quarter, found by its id or the quarter's name; ``None`` where no close is named so."""
    for closed in life.quarters.values():
        if named in {closed.id, closed.period.name}:
            if closed.period != period:
                reason = f"{named} closed {closed.period.name}, not {period.name}"
                raise InputError("--as-of", reason, f"Give --period {closed.period.name}, or leave --as-of out")
            return closed
    return None


def reading_as_of(named: str, client: Client, account: str) -> ContractReading:
    """The one version of the contract whose hash begins so. Raises ``InputError``."""
    version = _version(named, client, account)
    contract = stored_contract(client, account, version)
    if contract is None:
        raise InputError("--as-of", f"no stored contract has the hash {version}", "`seatbeat contract list` has all")
    return ContractReading(contract, metering_catalogue())


def _known_under(named: str, client: Client, reading: ContractReading) -> Known:
    account = reading.contract.account
    return Known(reading_as_of(named, client, account), read_first_commands(client, account))


def _version(named: str, client: Client, account: str) -> str:
    beginning = f"{_HASH}{named.removeprefix(_HASH)}"
    found = [one.content_hash for one in contract_versions(client, account) if one.content_hash.startswith(beginning)]
    if len(found) != 1:
        what = f"{len(found)} versions of the contract begin so" if found else "names no close and no contract"
        remedy = "Give a close's id (`seatbeat commands`) or more of a version's hash (`seatbeat contract list`)"
        raise InputError("--as-of", f"{named!r}: {what}", remedy)
    return found[0]
