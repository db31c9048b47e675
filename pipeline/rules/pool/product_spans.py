"""The stretches of days in which use of a code counts for the same product (RULES 1)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pipeline.model.instants import DAY_MS, day_of
from pipeline.rules.pool.reading import ContractReading


def product_spans(reading: ContractReading, code: str, first_day: int, end_day: int) -> Iterator[tuple[int, int, str]]:
    """Rows ``(from_day, until_day, product)`` in order of time, from ``first_day`` up to ``end_day``."""
    changes = {first_day, end_day}
    for listed in reading.contract.products.values():
        for old in listed.replaces:
            changes |= {day_of(at) for at in (old.from_at, old.until_at) if at is not None}
    for from_day, until_day in pairwise(sorted(day for day in changes if first_day <= day <= end_day)):
        yield from_day, until_day, reading.product_at(code, from_day * DAY_MS)
