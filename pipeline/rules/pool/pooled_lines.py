"""Pooled lines: a pool's counts of a quarter as a line of the statement (RULES 3.4 and 4; INTERFACES, Statement)."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.model.instants import DAY_MS, Period
from pipeline.model.statements import PooledLine
from pipeline.rules.pool.counting import Pool
from pipeline.rules.pool.entitled import entitled_in
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.pool.term_licenses import overuse, term_licenses_due

SLOTS_SHOWN_MAX = 100
"""The slots that a line lists at most; all slots count, listed or not."""


def pooled_lines(
    reading: ContractReading, period: Period, counts: Mapping[Pool, Mapping[int, int]]
) -> tuple[PooledLine, ...]:
    """A line per product and country with a pooled entitlement in force or counted use in the period, sorted."""
    used = {pool for pool, slots in counts.items() if slots}
    pools = sorted(entitled_in(reading.contract, "pooled", period) | used)
    return tuple(
        pooled_line(reading, product, country, period, counts.get((product, country), {})) for product, country in pools
    )


def pooled_line(
    reading: ContractReading, product: str, country: str, period: Period, counts: Mapping[int, int]
) -> PooledLine:
    """The line of a product and country. ``counts`` maps slot starts of the period to units, without zeros.

    Raises ``BeforeFirstRow`` where the policy says nothing of the start of the period.
    """
    peak = max(counts.values(), default=0)
    peak_slots = sorted(slot_at for slot_at, count in counts.items() if count == peak)
    overuse_by_slot = _overuse_by_slot(reading, product, country, counts)
    overuse_by_day = _highest_by_day(overuse_by_slot)
    overuse_max = max(overuse_by_slot.values(), default=0)
    overuse_slots = sorted(slot_at for slot_at, units in overuse_by_slot.items() if units == overuse_max)
    shown_at = peak_slots[0] if peak_slots else period.start_at
    listed = reading.contract.products.get(product)
    unit_price = None if listed is None else listed.unit_price
    policy = reading.policy_at(product, country, period.start_at)
    due = 0
    amount: int | None = 0
    if policy.term_licenses and policy.tolerance_days is not None:
        due = term_licenses_due(overuse_by_day, policy.tolerance_days)
        amount = None if unit_price is None else due * unit_price
    return PooledLine(
        product=product,
        country=country,
        policy=reading.policy_at(product, country, shown_at).id,
        entitled=reading.entitled_at(product, country, shown_at),
        peak=peak,
        peak_slots=tuple(peak_slots[:SLOTS_SHOWN_MAX]),
        overuse=overuse_max,
        overuse_slots=tuple(overuse_slots[:SLOTS_SHOWN_MAX]),
        overuse_days=len(overuse_by_day),
        term_licenses=due,
        unit_price=unit_price,
        amount=amount,
    )


def _overuse_by_slot(reading: ContractReading, product: str, country: str, counts: Mapping[int, int]) -> dict[int, int]:
    """The over-used slots by their starts. Entitlements begin and end at midnight, so a day has a single quantity."""
    days = {slot_at // DAY_MS for slot_at in counts}
    entitled = {day: reading.entitled_at(product, country, day * DAY_MS) for day in days}
    by_slot = {slot_at: overuse(count, entitled[slot_at // DAY_MS]) for slot_at, count in counts.items()}
    return {slot_at: units for slot_at, units in by_slot.items() if units}


def _highest_by_day(overuse_by_slot: Mapping[int, int]) -> dict[int, int]:
    """The highest over-use of each UTC day that has any."""
    by_day: dict[int, int] = {}
    for slot_at, units in overuse_by_slot.items():
        by_day[slot_at // DAY_MS] = max(units, by_day.get(slot_at // DAY_MS, 0))
    return by_day
