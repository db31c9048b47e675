"""Seats given by hand: who holds a seat from when until when, and which orders are refused (RULES 5).

Orders are judged in the order of the log against everything ordered before, whatever instants they name. So an order
for an earlier instant needs a seat that is free from there on, not only until somebody else is to have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.model.contracts import Contract
from pipeline.model.instants import iso_exact
from pipeline.model.orders import Assign, AssignableModel, Refused, Release
from pipeline.model.text import fold
from pipeline.rules.people.practitioner_lock import locked_until
from pipeline.rules.pool.entitled import entitlements_of, seats_at

ASSIGNED_MODELS: Final[tuple[AssignableModel, ...]] = ("single_user", "practitioner")
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
        """The first instant at which the seat may be taken over or released."""
        return locked_until(self.model, self.from_at)

    def holds(self, at: int) -> bool:
        """Whether the user holds the seat at an instant, in force or not."""
        return self.from_at <= at and self.ends_after(at)

    def ends_after(self, at: int) -> bool:
        """Whether the holding ends later than an instant, or never."""
        return self.until_at is None or at < self.until_at


_Seats = tuple[str, str, AssignableModel]
"""The seats that are given together: product, country and model."""


class Assignments:
    """The holdings that orders lead to; each order is carried out whole, or refused without effect."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._held: dict[_Seats, list[Holding]] = {}

    def holdings(self) -> tuple[Holding, ...]:
        """Everybody who held or holds a seat, for longer than no time, by assignment; ties in the order of the log."""
        holdings = [holding for held in self._held.values() for holding in held if holding.ends_after(holding.from_at)]
        return tuple(sorted(holdings, key=lambda holding: holding.from_at))

    def assign(self, id_: str, order: Assign) -> Refused | None:
        """Give a free seat to a user, or the seat of the user they replace."""
        user, replaced = fold(order.user), None if order.replaces is None else fold(order.replaces)
        seats = self._seats(id_, order, user if replaced is None else replaced)
        if isinstance(seats, Refused):
            return seats
        held, at = self._held.setdefault(seats, []), order.at
        own = next((holding for holding in held if holding.user == user and holding.ends_after(at)), None)
        if own is not None:
            sentence = f"{user} has a seat of {_named(seats)} from {iso_exact(own.from_at)} on already"
            return Refused(id_, "already_assigned", sentence, own.until_at)
        if replaced is not None:
            return self._take_over(id_, seats, replaced, Holding(*seats, user, at, None))
        if not self._has_room(seats, held, at):
            possible_at = self._room_from(seats, held, at)
            sentence = f"no seat of {_named(seats)} is free from {iso_exact(at)} on, and none may be taken over"
            if possible_at is not None:
                free_from = iso_exact(possible_at)
                sentence = f"no seat of {_named(seats)} is free; one is, or may be taken over, from {free_from} on"
            return Refused(id_, "no_free_seat", sentence, possible_at)
        held.append(Holding(*seats, user, at, None))
        return None

    def release(self, id_: str, order: Release) -> Refused | None:
        """Take a seat back, which leaves it free."""
        user = fold(order.user)
        seats = self._seats(id_, order, user)
        if isinstance(seats, Refused):
            return seats
        held, at = self._held.setdefault(seats, []), order.at
        index = _index_of(held, user, at)
        if index is None:
            return _not_assigned(id_, seats, user, at)
        if at < held[index].locked_until:
            return _locked(id_, held[index])
        held[index] = replace(held[index], until_at=at)
        return None

    def _take_over(self, id_: str, seats: _Seats, replaced: str, taking: Holding) -> Refused | None:
        held, at = self._held[seats], taking.from_at
        index = _index_of(held, replaced, at)
        if index is None:
            return _not_assigned(id_, seats, replaced, at)
        given = held[index]
        if at < given.locked_until:
            return _locked(id_, given)
        # A seat that was released for a later instant, and given to somebody else from there on, is not free after it.
        later = [holding.from_at for holding in held if holding.from_at > at and not given.holds(holding.from_at)]
        full_at = min((start_at for start_at in later if not self._is_free(seats, held, start_at)), default=None)
        if full_at is not None:
            sentence = (
                f"the seat that {replaced} has of {_named(seats)} is somebody else's from {iso_exact(full_at)} on"
            )
            return Refused(id_, "no_free_seat", sentence, self._room_from(seats, held, at))
        held[index] = replace(given, until_at=at)
        held.append(taking)
        return None

    def _seats(self, id_: str, order: Assign | Release, holder: str) -> _Seats | Refused:
        """Which seats an order is about. Without a model: those in force, if need be those that ``holder`` has."""
        product, country, at = order.product, order.country or self._contract.country, order.at
        if product not in self._contract.products:
            return Refused(id_, "unknown_product", f"the contract lists no product {product}")
        models = ASSIGNED_MODELS if order.model is None else (order.model,)
        in_force = [model for model in models if seats_at(self._contract, product, country, model, at)]
        if len(in_force) > 1:
            having = [
                model
                for model in in_force
                if _index_of(self._held.get((product, country, model), ()), holder, at) is not None
            ]
            in_force = having if len(having) == 1 else in_force
        if len(in_force) == 1:
            return product, country, in_force[0]
        if in_force:
            sentence = f"{product} in {country} has seats of {' and of '.join(in_force)}; say which is meant"
            return Refused(id_, "model_not_said", sentence)
        starts = [
            entitlement.from_at
            for model in models
            for entitlement in entitlements_of(self._contract, product, country, model)
            if entitlement.from_at > at and entitlement.gives_use
        ]
        kinds = " or ".join(models)
        sentence = f"no {kinds} seat of {product} in {country} is in force at {iso_exact(at)}"
        return Refused(id_, "no_entitlement", sentence, min(starts, default=None))

    def _has_room(self, seats: _Seats, held: Sequence[Holding], at: int) -> bool:
        """Whether a seat is free from an instant on, those included that others are to have later."""
        later = [holding.from_at for holding in held if holding.from_at > at and holding.ends_after(holding.from_at)]
        return all(self._is_free(seats, held, start_at) for start_at in (at, *later))

    def _is_free(self, seats: _Seats, held: Sequence[Holding], at: int) -> bool:
        return sum(holding.holds(at) for holding in held) < seats_at(self._contract, *seats, at)

    def _room_from(self, seats: _Seats, held: Sequence[Holding], at: int) -> int | None:
        """The first instant from ``at`` on at which a seat is free or may be taken over, by all that was ordered."""
        changes = {holding.until_at for holding in held if holding.until_at is not None}
        changes |= {entitlement.from_at for entitlement in entitlements_of(self._contract, *seats)}
        free_at = next(
            (change_at for change_at in sorted(changes) if change_at > at and self._has_room(seats, held, change_at)),
            None,
        )
        taken_over = [max(at, holding.locked_until) for holding in held if holding.until_at is None]
        return min([*taken_over, *(() if free_at is None else (free_at,))], default=None)


def _index_of(held: Sequence[Holding], user: str, at: int) -> int | None:
    """The place of the holding that a user has at an instant."""
    return next((index for index, holding in enumerate(held) if holding.user == user and holding.holds(at)), None)


def _not_assigned(id_: str, seats: _Seats, user: str, at: int) -> Refused:
    return Refused(id_, "not_assigned", f"{user} has no seat of {_named(seats)} at {iso_exact(at)}")


def _locked(id_: str, held: Holding) -> Refused:
    sentence = (
        f"the seat that {held.user} has of {held.product} in {held.country} since {iso_exact(held.from_at)} is locked "
        f"until {iso_exact(held.locked_until)}"
    )
    return Refused(id_, "locked", sentence, held.locked_until)


def _named(seats: _Seats) -> str:
    product, country, model = seats
    return f"{product} in {country} ({model.replace('_', ' ')})"
