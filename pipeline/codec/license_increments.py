"""What the lines of a licence file grant together: a later line may end earlier ones, or raise some of their licences.

- ``SUPERSEDE`` ends the lines of the same feature (or those it names) that were issued before, on the day of its own.
- ``UPGRADE`` takes licences from the closest line before it whose version it raises, and grants as many under its own
  dates (https://docs.revenera.com/fnp/2026r1/LicAdmin_Guide/Content/helplibrary/UPGRADE_Lines.htm). What it took stays
  granted until the day before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Increment:
    """Licences of a feature: ``quantity`` is ``None`` where they are not counted. Both days are included.

    ``first_day`` is the day they start or were issued, ``last_day`` the last one on which they are valid; ``None``
    where the file states none.
    """

    feature: str
    daemon: str
    quantity: int | None
    first_day: date | None
    last_day: date | None
    line: int


class Granted(NamedTuple):
    """An increment as its line states it. Of a ``version`` of ``None`` nothing can be raised.

    ``supersedes`` are the features whose earlier lines it ends.
    """

    increment: Increment
    version: Decimal | None
    issued: date | None
    supersedes: frozenset[str]


def raise_version(granted: list[Granted], upgrade: Granted, from_version: Decimal) -> int:
    """Let an ``UPGRADE`` take its licences from what is ``granted`` so far; returns how many it could take.

    ``upgrade`` is the line as an increment of its new version.
    """
    wanted = upgrade.increment.quantity
    for index in range(len(granted) - 1, -1, -1):
        base = granted[index]
        quantity = base.increment.quantity
        if quantity is None or wanted is None or base.version is None or upgrade.version is None:
            continue
        names = base.increment.feature, base.increment.daemon
        if names != (upgrade.increment.feature, upgrade.increment.daemon):
            continue
        if from_version <= base.version < upgrade.version:
            taken = min(wanted, quantity)
            granted[index : index + 1] = _left(base, quantity - taken, taken, upgrade.increment.first_day)
            first_day = upgrade.increment.first_day or base.increment.first_day
            raised = replace(upgrade.increment, quantity=taken, first_day=first_day)
            granted.append(upgrade._replace(increment=raised))
            return taken
    return 0


def _left(base: Granted, kept: int, taken: int, taken_on: date | None) -> Iterator[Granted]:
    """What is left of a line: the licences that it keeps, and until the day before those that were taken."""
    increment = base.increment
    if taken_on is not None and (increment.first_day is None or increment.first_day < taken_on):
        last_day = taken_on - _DAY if increment.last_day is None else min(increment.last_day, taken_on - _DAY)
        yield base._replace(increment=replace(increment, quantity=taken, last_day=last_day), version=None)
    yield base._replace(increment=replace(increment, quantity=kept), version=base.version if kept else None)


def in_force(granted: Sequence[Granted]) -> Iterator[Increment]:
    """The increments, each until the day before a later one that supersedes it; those with no day left are dropped."""
    for this in granted:
        increment = this.increment
        ends = [
            later.issued
            for later in granted
            if increment.feature in later.supersedes
            and later.issued is not None
            and (this.issued is None or this.issued < later.issued)
            and later.increment is not increment
        ]
        last_day = increment.last_day
        if ends:
            end = min(ends) - _DAY
            last_day = end if last_day is None else min(last_day, end)
        has_day = last_day is None or increment.first_day is None or increment.first_day <= last_day
        if has_day and increment.quantity != 0:
            yield replace(increment, last_day=last_day)
