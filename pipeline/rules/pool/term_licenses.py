"""Over-use of a pool and the quarterly term licences it makes due (RULES 3.4 and 4). Small arithmetic on counts."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.model.instants import DAY_MS, Period
from pipeline.model.statements import PooledLine
from pipeline.rules.pool.reading import ContractReading

SLOTS_SHOWN_MAX = 100


def overuse(count: int, entitled: int) -> int:
    """Units of a slot beyond what was entitled at its start."""
    return max(0, count - entitled)


def term_licenses_due(overuse_by_day: Mapping[int, int], tolerance_days: int) -> int:
    """The largest k such that more than ``tolerance_days`` days have a slot over-used by k or more.

    ``overuse_by_day`` maps a UTC day to the highest over-use of its slots.
    """
    highest_first = sorted(overuse_by_day.values(), reverse=True)
    return highest_first[tolerance_days] if tolerance_days < len(highest_first) else 0


def pooled_line(
    reading: ContractReading, product: str, country: str, period: Period, counts: Mapping[int, int]
) -> PooledLine:
    """The statement line of one product and country. ``counts`` maps slot starts of the period to units, without zeros.

    Raises ``BeforeFirstRow`` where the policy says nothing of the start of the period.
    """
    peak = max(counts.values(), default=0)
    peak_slots = sorted(at for at, count in counts.items() if count == peak)
    days = {at // DAY_MS for at in counts}  # entitlements begin and end at midnight
    entitled = {day: reading.entitled_at(product, country, day * DAY_MS) for day in days}
    over = {
        at: overuse(count, entitled[at // DAY_MS]) for at, count in counts.items() if count > entitled[at // DAY_MS]
    }
    overuse_max = max(over.values(), default=0)
    overuse_by_day: dict[int, int] = {}
    for at, units in over.items():
        overuse_by_day[at // DAY_MS] = max(units, overuse_by_day.get(at // DAY_MS, 0))
    shown_at = peak_slots[0] if peak_slots else period.start_at
    at_start = reading.policy_at(product, country, period.start_at)
    due, unit_price = 0, _unit_price(reading, product)
    amount: int | None = 0
    if at_start.term_licenses and at_start.tolerance_days is not None:
        due = term_licenses_due(overuse_by_day, at_start.tolerance_days)
        amount = None if unit_price is None else due * unit_price
    return PooledLine(
        product=product,
        country=country,
        policy=reading.policy_at(product, country, shown_at).id,
        entitled=reading.entitled_at(product, country, shown_at),
        peak=peak,
        peak_slots=tuple(peak_slots[:SLOTS_SHOWN_MAX]),
        overuse=overuse_max,
        overuse_slots=tuple(sorted(at for at, units in over.items() if units == overuse_max)[:SLOTS_SHOWN_MAX]),
        overuse_days=len(overuse_by_day),
        term_licenses=due,
        unit_price=unit_price,
        amount=amount,
    )


def pooled_lines(
    reading: ContractReading, period: Period, counts: Mapping[tuple[str, str], Mapping[int, int]]
) -> tuple[PooledLine, ...]:
    """A line per product and country with a pooled entitlement in force or counted use in the period, sorted."""
    entitled = {
        (product, entitlement.country)
        for entitlement in reading.contract.entitlements
        if entitlement.model == "pooled"
        and entitlement.from_at < period.end_at
        and (entitlement.until_at is None or entitlement.until_at > period.start_at)
        for product in entitlement.products
    }
    pools = sorted(entitled | {pool for pool, slots in counts.items() if slots})
    return tuple(
        pooled_line(reading, product, country, period, counts.get((product, country), {})) for product, country in pools
    )


def _unit_price(reading: ContractReading, product: str) -> int | None:
    listed = reading.contract.products.get(product)
    return None if listed is None else listed.unit_price
