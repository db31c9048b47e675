"""Seats given by hand: who holds one from when until when, and which orders are refused (RULES 5).

Orders are judged in the order of the log against all that was ordered before, whatever instants they name. So an order
for an earlier instant must find a seat that is free from there on: not one that somebody is to have later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.model.contracts import Contract
from pipeline.model.instants import DAY_MS, iso
from pipeline.model.orders import Assign, AssignableModel, Refused, Release
from pipeline.model.text import fold
from pipeline.rules.pool.entitled import entitlements_of, seats_at

LOCK_MS: Final = 30 * DAY_MS
"""How long a practitioner seat stays with its user after each assignment."""
SEAT_MODELS: Final[tuple[AssignableModel, ...]] = ("single_user", "practitioner")
"""The models whose seats are given by hand, in the order of the waterfall."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A user's seat in ``[from_at, until_at)``; ``None`` is without end."""

    product: str
    country: str
    model: AssignableModel
    user: str
    from_at: int
    until_at: int | None

    @property
    def locked_until(self) -> int:
        """The first instant at which the seat may be taken over or released. A single user's seat knows no lock."""
        return self.from_at + LOCK_MS if self.model == "practitioner" else self.from_at

    def holds(self, at: int) -> bool:
        return self.from_at <= at and (self.until_at is None or at < self.until_at)

    def ends_after(self, at: int) -> bool:
        return self.until_at is None or at < self.until_at


_Seats = tuple[str, str, AssignableModel]


class Assignments:
    """The holdings that orders come to, each carried out whole or refused and without effect."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._held: dict[_Seats, list[Holding]] = {}

    def holdings(self) -> tuple[Holding, ...]:
        """Everybody who held or holds a seat, for longer than no time, by assignment; ties in the order of the log."""
        held = [one for found in self._held.values() for one in found if one.ends_after(one.from_at)]
        return tuple(sorted(held, key=lambda one: one.from_at))

    def assign(self, id_: str, order: Assign) -> Refused | None:
        """Give a free seat to a user, or the seat of the one they replace."""
        user, replaced = fold(order.user), None if order.replaces is None else fold(order.replaces)
        found = self._seats(id_, order, user if replaced is None else replaced)
        if isinstance(found, Refused):
            return found
        held, at = self._held.setdefault(found, []), order.at
        own = next((one for one in held if one.user == user and one.ends_after(at)), None)
        if own is not None:
            sentence = f"{user} has a seat of {_named(found)} from {iso(own.from_at)} on already"
            return Refused(id_, "already_assigned", sentence, own.until_at)
        if replaced is not None:
            return self._take_over(id_, found, replaced, Holding(*found, user, at, None))
        if not self._has_room(found, held, at):
            possible_at = self._room_from(found, held, at)
            sentence = f"no seat of {_named(found)} is free from {iso(at)} on, and none may be taken over"
            if possible_at is not None:
                sentence = (
                    f"no seat of {_named(found)} is free; one is, or may be taken over, from {iso(possible_at)} on"
                )
            return Refused(id_, "no_free_seat", sentence, possible_at)
        held.append(Holding(*found, user, at, None))
        return None

    def release(self, id_: str, order: Release) -> Refused | None:
        """Take a seat back, which leaves it free."""
        user = fold(order.user)
        found = self._seats(id_, order, user)
        if isinstance(found, Refused):
            return found
        held, at = self._held.setdefault(found, []), order.at
        index = _holding(held, user, at)
        if index is None:
            return _not_assigned(id_, found, user, at)
        if at < held[index].locked_until:
            return _locked(id_, held[index])
        held[index] = replace(held[index], until_at=at)
        return None

    def _take_over(self, id_: str, seats: _Seats, replaced: str, taking: Holding) -> Refused | None:
        held, at = self._held[seats], taking.from_at
        index = _holding(held, replaced, at)
        if index is None:
            return _not_assigned(id_, seats, replaced, at)
        given = held[index]
        if at < given.locked_until:
            return _locked(id_, given)
        # A seat that was given back for a later instant, and to somebody else from there on, is not free after it.
        later = [one.from_at for one in held if one.from_at > at and not given.holds(one.from_at)]
        full_at = min((one for one in later if not self._is_free(seats, held, one)), default=None)
        if full_at is not None:
            sentence = f"the seat that {replaced} has of {_named(seats)} is somebody else's from {iso(full_at)} on"
            return Refused(id_, "no_free_seat", sentence, self._room_from(seats, held, at))
        held[index] = replace(given, until_at=at)
        held.append(taking)
        return None

    def _seats(self, id_: str, order: Assign | Release, holder: str) -> _Seats | Refused:
        """Which seats an order is about. Without a model: those in force, if need be those that ``holder`` has."""
        product, country, at = order.product, order.country or self._contract.country, order.at
        if product not in self._contract.products:
            return Refused(id_, "unknown_product", f"the contract lists no product {product}")
        models = SEAT_MODELS if order.model is None else (order.model,)
        in_force = [model for model in models if seats_at(self._contract, product, country, model, at)]
        if len(in_force) > 1:
            having = [
                model
                for model in in_force
                if _holding(self._held.get((product, country, model), ()), holder, at) is not None
            ]
            in_force = having if len(having) == 1 else in_force
        if len(in_force) == 1:
            return product, country, in_force[0]
        if in_force:
            sentence = f"{product} in {country} has seats of {' and of '.join(in_force)}; say which is meant"
            return Refused(id_, "model_not_said", sentence)
        starts = [
            one.from_at
            for model in models
            for one in entitlements_of(self._contract, product, country, model)
            if one.from_at > at
        ]
        kinds = " or ".join(models)
        sentence = f"no {kinds} seat of {product} in {country} is in force at {iso(at)}"
        return Refused(id_, "no_entitlement", sentence, min(starts, default=None))

    def _has_room(self, seats: _Seats, held: Sequence[Holding], at: int) -> bool:
        """Whether a seat is free from an instant on, those included that others are to have later."""
        later = [one.from_at for one in held if one.from_at > at and one.ends_after(one.from_at)]
        return all(self._is_free(seats, held, one) for one in (at, *later))

    def _is_free(self, seats: _Seats, held: Sequence[Holding], at: int) -> bool:
        return sum(one.holds(at) for one in held) < seats_at(self._contract, *seats, at)

    def _room_from(self, seats: _Seats, held: Sequence[Holding], at: int) -> int | None:
        """The first instant from ``at`` on at which a seat is free or may be taken over, by all that is known."""
        changes = {one.until_at for one in held if one.until_at is not None}
        changes |= {one.from_at for one in entitlements_of(self._contract, *seats)}
        free = next((one for one in sorted(changes) if one > at and self._has_room(seats, held, one)), None)
        taken_over = [max(at, one.locked_until) for one in held if one.until_at is None]
        return min([*taken_over, *(() if free is None else (free,))], default=None)


def _holding(held: Sequence[Holding], user: str, at: int) -> int | None:
    return next((index for index, one in enumerate(held) if one.user == user and one.holds(at)), None)


def _not_assigned(id_: str, seats: _Seats, user: str, at: int) -> Refused:
    return Refused(id_, "not_assigned", f"{user} has no seat of {_named(seats)} at {iso(at)}")


def _locked(id_: str, held: Holding) -> Refused:
    sentence = (
        f"the seat that {held.user} has of {held.product} in {held.country} since {iso(held.from_at)} is locked "
        f"until {iso(held.locked_until)}"
    )
    return Refused(id_, "locked", sentence, held.locked_until)


def _named(seats: _Seats) -> str:
    product, country, model = seats
    return f"{product} in {country} ({model.replace('_', ' ')})"
