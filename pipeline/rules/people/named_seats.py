"""Named seats: who takes a seat in a quarter, and for whom none is left (RULES 5).

Nobody assigns them. A user's first counted slot that no earlier step covers takes a seat, which the user keeps to the
quarter's end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from pipeline.model.contracts import Contract, Entitlement
from pipeline.model.instants import Period
from pipeline.rules.people.coverage import Coverage
from pipeline.rules.pool.entitled import entitled_in, overlaps


class CountedSlot(NamedTuple):
    """A slot in which use of a user counts."""

    product: str
    country: str
    user: str
    slot_at: int


@dataclass(frozen=True, slots=True)
class NamedSeats:
    """The seats of the entitlements to the same ``products``, which share them.

    ``holders``: who took a seat, and at which slot, in order; ``overflow``: for whom none was left, in order.
    ``in_force`` are the stretches of the period in which there is a seat at all, ascending.
    """

    products: tuple[str, ...]
    country: str
    in_force: tuple[tuple[int, int], ...]
    holders: tuple[tuple[str, int], ...] = ()
    overflow: tuple[str, ...] = ()

    def is_for(self, product: str, country: str, at: int) -> bool:
        """Whether these seats are for use of a product at an instant: a seat of them is in force then."""
        if product not in self.products or country != self.country:
            return False
        return any(from_at <= at < until_at for from_at, until_at in self.in_force)


def named_seats(contract: Contract, period: Period, slots: Iterable[CountedSlot]) -> tuple[NamedSeats, ...]:
    """Who holds the named seats of a quarter. ``slots``: the counted slots of it that no earlier step covers.

    Of each user and product the first slot of every stretch of ``named_stretches`` is enough. Seats for fewer products
    are taken first: where a product has seats of its own and shares others, its user tries its own before those.
    """
    left = list(slots)
    groups = list[NamedSeats]()
    for products, country in _groups(contract, period):
        entitlements = [
            entitlement for entitlement in _named(contract, period) if _group(entitlement) == (products, country)
        ]
        seats = _taken(products, country, entitlements, period, left)
        holders = {user for user, _ in seats.holders}
        left = [
            slot
            for slot in left
            if slot.user not in holders or not seats.is_for(slot.product, slot.country, slot.slot_at)
        ]
        groups.append(seats)
    return tuple(groups)


def named_stretches(contract: Contract, period: Period) -> Iterator[tuple[str, str, int, int]]:
    """The stretches of a period in which a product has named seats and none of them begins or ends."""
    for product, country in sorted(entitled_in(contract, "named", period)):
        concerned = [
            entitlement
            for entitlement in _named(contract, period)
            if entitlement.country == country and product in entitlement.products
        ]
        bounds = {at for entitlement in concerned for at in _span(entitlement, period)}
        for from_at, until_at in pairwise(sorted(bounds)):
            if any(entitlement.in_force(from_at) for entitlement in concerned):
                yield product, country, from_at, until_at


def named_coverage(seats: Iterable[NamedSeats], period: Period) -> Iterator[Coverage]:
    """What named seats cover: use of every product they are for, from the slot that took the seat on."""
    for group in seats:
        for user, taken_at in group.holders:
            for from_at, until_at in group.in_force:
                if taken_at < until_at:
                    for product in group.products:
                        begins_at = max(from_at, taken_at)
                        yield Coverage(product, group.country, "named", user, begins_at, min(until_at, period.end_at))


def _taken(
    products: tuple[str, ...],
    country: str,
    entitlements: list[Entitlement],
    period: Period,
    slots: Iterable[CountedSlot],
) -> NamedSeats:
    first: dict[str, int] = {}
    for slot in slots:
        if slot.country != country or slot.product not in products:
            continue
        if any(entitlement.in_force(slot.slot_at) for entitlement in entitlements):
            first[slot.user] = min(slot.slot_at, first.get(slot.user, slot.slot_at))
    holders, overflow = list[tuple[str, int]](), list[str]()
    for user, slot_at in sorted(first.items(), key=lambda taking: (taking[1], taking[0])):
        seats = sum(entitlement.quantity for entitlement in entitlements if entitlement.in_force(slot_at))
        if len(holders) < seats:
            holders.append((user, slot_at))
        else:
            overflow.append(user)
    return NamedSeats(products, country, _in_force(entitlements, period), tuple(holders), tuple(overflow))


def _in_force(entitlements: list[Entitlement], period: Period) -> tuple[tuple[int, int], ...]:
    stretches = list[tuple[int, int]]()
    for from_at, until_at in sorted(_span(entitlement, period) for entitlement in entitlements):
        if stretches and from_at <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(until_at, stretches[-1][1]))
        else:
            stretches.append((from_at, until_at))
    return tuple(stretches)


def _groups(contract: Contract, period: Period) -> list[tuple[tuple[str, ...], str]]:
    groups = {_group(entitlement) for entitlement in _named(contract, period)}
    return sorted(groups, key=lambda group: (len(group[0]), group))


def _group(entitlement: Entitlement) -> tuple[tuple[str, ...], str]:
    """Entitlements to the same products in a country share their seats."""
    return tuple(sorted(set(entitlement.products))), entitlement.country


def _named(contract: Contract, period: Period) -> list[Entitlement]:
    """Without those of a quantity of 0: while nothing else is in force, a seat that was taken covers no more."""
    return [
        entitlement
        for entitlement in contract.entitlements
        if entitlement.model == "named"
        and entitlement.gives_use
        and overlaps(entitlement, period.start_at, period.end_at)
    ]


def _span(entitlement: Entitlement, period: Period) -> tuple[int, int]:
    until_at = period.end_at if entitlement.until_at is None else min(entitlement.until_at, period.end_at)
    return max(entitlement.from_at, period.start_at), until_at
