"""The view that ``--as-of`` names: what a close froze, or the account under another version of its contract."""

from __future__ import annotations

from typing import Final

from pipeline.application.account_view import AccountView
from pipeline.model.errors import InputError
from pipeline.model.instants import Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.closes import Closed

_HASH: Final = "sha256:"


def view_as_of(view: AccountView, period: Period, as_of: str = "") -> AccountView:
    """What a quarter is read under: as of its close if it is closed, or under the version that is named.

    ``as_of`` is a close's id or quarter, or the beginning of a version's hash. Raises ``InputError``.
    """
    if not as_of or close_as_of(view, period, as_of) is not None:
        return view.of_quarter(period)
    return under_version(view, as_of)


def view_of_any_close(view: AccountView, as_of: str) -> AccountView:
    """The view as of the close, of any quarter, or under the version that is named. Raises ``InputError``."""
    for closed in view.closes.quarters.values():
        if as_of in {closed.id, closed.period.name}:
            return view.at_close(closed)
    return under_version(view, as_of)


def close_as_of(view: AccountView, period: Period, as_of: str) -> Closed | None:
    """The close of a quarter by its id or the quarter's name, ``None`` where no close has that name.

    Raises ``InputError`` for the close of another quarter.
    """
    for closed in view.closes.quarters.values():
        if as_of in {closed.id, closed.period.name}:
            if closed.period != period:
                reason = f"{as_of} closed {closed.period.name}, not {period.name}"
                raise InputError("--as-of", reason, f"Give --period {closed.period.name}, or leave --as-of out")
            return closed
    return None


def under_version(view: AccountView, as_of: str) -> AccountView:
    """The view under the version of the contract whose hash begins so. Raises ``InputError`` for none or several."""
    beginning = f"{_HASH}{as_of.removeprefix(_HASH)}"
    hashes = [version.content_hash for version in view.contract_versions if version.content_hash.startswith(beginning)]
    if len(hashes) != 1:
        reason = f"{len(hashes)} versions of the contract begin so" if hashes else "names no close and no contract"
        remedy = "Give a close's id (`seatbeat commands`) or more of a version's hash (`seatbeat contract list`)"
        raise InputError("--as-of", f"{as_of!r}: {reason}", remedy)
    contract = view.stored_contract(hashes[0])
    if contract is None:
        raise InputError("--as-of", f"no stored contract has the hash {hashes[0]}", "`seatbeat contract list` has all")
    return view.under(ContractReading(contract, metering_catalogue()))
