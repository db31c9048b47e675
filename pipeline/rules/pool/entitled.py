"""Which seats a contract has in force, by product, country and model (RULES 4 and 5).

Entitlements begin and end at UTC midnights, so no slot lies on both sides of a change.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.model.contracts import Contract, Entitlement, EntitlementModel
from pipeline.model.instants import Period


def entitlements_of(contract: Contract, product: str, country: str, model: EntitlementModel) -> Iterator[Entitlement]:
    """The entitlements of a model for a product and country, whenever they are in force."""
    for entitlement in contract.entitlements:
        if entitlement.model == model and entitlement.country == country and product in entitlement.products:
            yield entitlement


def seats_at(contract: Contract, product: str, country: str, model: EntitlementModel, at: int) -> int:
    """Seats in force at an instant: the quantities of all entitlements in force add up."""
    entitlements = entitlements_of(contract, product, country, model)
    return sum(entitlement.quantity for entitlement in entitlements if entitlement.in_force(at))


def overlaps(entitlement: Entitlement, from_at: int, until_at: int) -> bool:
    """Whether an entitlement is in force at some instant of ``[from_at, until_at)``."""
    return entitlement.from_at < until_at and (entitlement.until_at is None or from_at < entitlement.until_at)


def seats_max(contract: Contract, product: str, country: str, model: EntitlementModel, period: Period) -> int:
    """The highest number of seats in force in a period."""
    entitlements = entitlements_of(contract, product, country, model)
    starts = [max(entitlement.from_at, period.start_at) for entitlement in entitlements]
    return max((seats_at(contract, product, country, model, at) for at in starts if at < period.end_at), default=0)


def entitled_in(contract: Contract, model: EntitlementModel, period: Period) -> set[tuple[str, str]]:
    """The products and countries with an entitlement of a model in force in a period."""
    return {
        (product, entitlement.country)
        for entitlement in contract.entitlements
        if entitlement.model == model and overlaps(entitlement, period.start_at, period.end_at)
        for product in entitlement.products
    }
