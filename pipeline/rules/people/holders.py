"""Who holds which seat and what is taken offline, from a contract's lists and the log of commands (RULES 5).

An entry of a list is an order like a command. The lists come first, by the instants they name; then the commands, in
log order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from pipeline.model.contracts import Contract
from pipeline.model.orders import Assign, CheckIn, CheckOut, Logged, Order, Refused, Release
from pipeline.rules.people.assignments import Assignments, Holding
from pipeline.rules.people.checkouts import Checkouts, TakenOut


@dataclass(frozen=True, slots=True)
class People:
    """Holdings by assignment, checkouts by start, and the orders that were refused, in the order they were judged."""

    holdings: tuple[Holding, ...]
    checkouts: tuple[TakenOut, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """An order that a contract's list gives. ``place`` is the list's name and the entry's index in it."""

    id: str
    place: tuple[str, int]
    order: Assign | CheckOut | CheckIn


def people_of(contract: Contract, logged: Sequence[Logged] = ()) -> People:
    """Carry out a contract's lists, then the account's commands in log order, which hold no id twice."""
    assignments, checkouts, refused = Assignments(contract), Checkouts(contract), list[Refused]()
    entries = [(listed.id, listed.order) for listed in listed_orders(contract)]
    commands = [
        (entry.command.id, entry.command.order) for entry in logged if entry.command.account == contract.account
    ]
    for id_, order in (*entries, *commands):
        refusal = _carry_out(assignments, checkouts, id_, order)
        if refusal is not None:
            refused.append(refusal)
    return People(assignments.holdings(), checkouts.taken(), tuple(refused))


def refused_entries(contract: Contract, logged: Sequence[Logged] = ()) -> tuple[tuple[Listed, Refused], ...]:
    """The entries of a contract's lists that have no effect, and why, as it stands after the commands.

    An entry is left out once its user has the seat by a command: nothing is left to complain of. Commands hold no id
    twice and are in log order.
    """
    assignments, checkouts = Assignments(contract), Checkouts(contract)
    refused_first = []
    for listed in listed_orders(contract):
        refusal = _carry_out(assignments, checkouts, listed.id, listed.order)
        if refusal is not None:
            refused_first.append((listed, refusal))
    for entry in logged:
        if entry.command.account == contract.account:
            _carry_out(assignments, checkouts, entry.command.id, entry.command.order)
    refused = []
    for listed, first in refused_first:
        now = _carry_out(assignments, checkouts, listed.id, listed.order)
        if now is None:
            possible = replace(first, sentence=f"{first.sentence}; by now it is possible, as a command")
            refused.append((listed, possible))
        elif now.code != "already_assigned" or first.code == now.code:
            refused.append((listed, now))
    return tuple(refused)


def listed_orders(contract: Contract) -> Iterator[Listed]:
    """The orders in a contract's lists: assignments by instant, then checkouts by start, then their check-ins.

    An id is made of what the entry says, so it stays when the entry moves in its list. An entry that says the same as
    an earlier entry is the same order and comes once.
    """
    orders: dict[str, Listed] = {}
    for index, given in sorted(enumerate(contract.assignments), key=lambda numbered: numbered[1].at):
        id_ = listed_id("assign", given.product, given.country, given.user, str(given.at), given.replaces or "")
        order = Assign(given.product, given.country, given.user, given.at, given.replaces)
        orders.setdefault(id_, Listed(id_, ("assignments", index), order))
    for index, taken in sorted(enumerate(contract.checkouts), key=lambda numbered: numbered[1].from_at):
        said = (taken.product, taken.country, taken.user, taken.machine, str(taken.from_at), str(taken.until_at))
        id_, place = listed_id("checkout", *said), ("checkouts", index)
        order_out = CheckOut(taken.product, taken.country, taken.user, taken.machine, taken.from_at, taken.until_at)
        orders.setdefault(id_, Listed(id_, place, order_out))
        if taken.checked_in_at is not None:
            back_id = listed_id("checkin", *said, str(taken.checked_in_at))
            orders.setdefault(back_id, Listed(back_id, place, CheckIn(id_, taken.checked_in_at)))
    yield from orders.values()


def listed_id(*said: str) -> str:
    """The id of an order in a contract's list: ``contract-`` and 16 hex digits of what it says, length-prefixed."""
    parts = [part.encode() for part in said]
    digest = sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()
    return f"contract-{digest[:16]}"


def _carry_out(assignments: Assignments, checkouts: Checkouts, id_: str, order: Order) -> Refused | None:
    match order:
        case Assign():
            return assignments.assign(id_, order)
        case Release():
            return assignments.release(id_, order)
        case CheckOut():
            return checkouts.check_out(id_, order)
        case CheckIn():
            return checkouts.check_in(id_, order)
        case _:
            return None
