"""Licences taken offline: for whom, on which machine, from when until when (RULES 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pipeline.model.contracts import Contract, EntitlementModel
from pipeline.model.instants import iso_exact
from pipeline.model.orders import CheckIn, CheckOut, Refused
from pipeline.model.text import fold
from pipeline.rules.pool.entitled import entitlements_of, overlaps

LICENCE_MODELS: Final[tuple[EntitlementModel, ...]] = ("single_user", "practitioner", "named", "pooled")
"""The models that have a licence to take offline, in the order of the waterfall."""


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A licence offline in ``[from_at, until_at)``, which ends at an early check-in. ``id`` is that of the order."""

    id: str
    product: str
    country: str
    user: str
    machine: str
    from_at: int
    until_at: int


class Checkouts:
    """The checkouts that orders lead to; each order is carried out whole, or refused without effect."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._taken: dict[str, TakenOut] = {}
        self._checked_in: set[str] = set()

    def taken(self) -> tuple[TakenOut, ...]:
        """Every licence that was offline for longer than no time, by start; ties in the order of the log."""
        offline = [taken for taken in self._taken.values() if taken.from_at < taken.until_at]
        return tuple(sorted(offline, key=lambda taken: taken.from_at))

    def check_out(self, id_: str, order: CheckOut) -> Refused | None:
        """Take a licence offline. There is no limit on how many are offline: too many make over-use."""
        product, country = order.product, order.country or self._contract.country
        if product not in self._contract.products:
            return Refused(id_, "unknown_product", f"the contract lists no product {product}")
        if order.until_at <= order.from_at:
            return Refused(id_, "ends_before_it_begins", "the checkout ends before it begins, or as it begins")
        entitlements = [
            entitlement
            for model in LICENCE_MODELS
            for entitlement in entitlements_of(self._contract, product, country, model)
            if entitlement.gives_use
        ]
        if not any(overlaps(entitlement, order.from_at, order.until_at) for entitlement in entitlements):
            from_text, until_text = iso_exact(order.from_at), iso_exact(order.until_at)
            sentence = f"no seat of {product} in {country} is in force from {from_text} to {until_text}"
            starts = (entitlement.from_at for entitlement in entitlements)
            possible_at = min((start_at for start_at in starts if start_at >= order.until_at), default=None)
            return Refused(id_, "no_entitlement", sentence, possible_at)
        self._taken[id_] = TakenOut(
            id_, product, country, fold(order.user), fold(order.machine), order.from_at, order.until_at
        )
        return None

    def check_in(self, id_: str, order: CheckIn) -> Refused | None:
        """End a checkout early; the first check-in of it counts."""
        taken = self._taken.get(order.checkout)
        if taken is None:
            return Refused(id_, "unknown_checkout", f"nothing was checked out under the id {order.checkout}")
        if order.checkout in self._checked_in:
            return Refused(
                id_, "already_checked_in", f"{order.checkout} was checked in at {iso_exact(taken.until_at)} already"
            )
        if order.at < taken.from_at:
            sentence = f"{order.checkout} is checked out from {iso_exact(taken.from_at)} on, which is later"
            return Refused(id_, "before_checkout", sentence, taken.from_at)
        if order.at > taken.until_at:
            sentence = f"{order.checkout} ran out at {iso_exact(taken.until_at)} by itself, which is earlier"
            return Refused(id_, "after_checkout", sentence)
        self._checked_in.add(order.checkout)
        self._taken[order.checkout] = replace(taken, until_at=order.at)
        return None
