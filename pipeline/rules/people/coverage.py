"""Whose use is covered by a seat of their own, and when (RULES 5, the first steps of the waterfall)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from pipeline.model.contracts import Contract
from pipeline.model.instants import Period
from pipeline.rules.people.assignments import Holding
from pipeline.rules.pool.entitled import entitlements_of, seats_at

Step = Literal["single_user", "practitioner", "named"]
"""The steps of the waterfall that cover a user's use; then come the pool and the term licence."""
STEPS: Final[tuple[Step, ...]] = ("single_user", "practitioner", "named")


@dataclass(frozen=True, slots=True)
class Coverage:
    """A user's use in the slots that overlap ``[from_at, until_at)``, a stretch that is not empty, is covered."""

    product: str
    country: str
    step: Step
    user: str
    from_at: int
    until_at: int

    def covers(self, slot_at: int, slot_ms: int) -> bool:
        return slot_at < self.until_at and self.from_at < slot_at + slot_ms


class Covered:
    """Coverage to be asked by product, country and user."""

    def __init__(self, coverage: Iterable[Coverage]) -> None:
        self._found: dict[tuple[str, str, str], list[Coverage]] = {}
        for one in sorted(coverage, key=lambda one: STEPS.index(one.step)):
            self._found.setdefault((one.product, one.country, one.user), []).append(one)

    def by(self, product: str, country: str, user: str, slot_at: int, slot_ms: int) -> Coverage | None:
        """What covers a user's use in a slot: the first step of the waterfall that does."""
        found = self._found.get((product, country, user), ())
        return next((one for one in found if one.covers(slot_at, slot_ms)), None)


NOTHING_COVERED: Final = Covered(())


def seat_coverage(contract: Contract, holdings: Iterable[Holding], period: Period) -> tuple[Coverage, ...]:
    """What seats given by hand cover in a period, in the order of assignment.

    A holding covers while seats are in force: where more are held than are, the latest assignments lose, and have
    their seats again when the number rises.
    """
    together: dict[tuple[str, str, str], list[Holding]] = {}
    for one in holdings:
        together.setdefault((one.product, one.country, one.model), []).append(one)
    found = [one for held in together.values() for one in _coverage(contract, held, period)]
    return tuple(one for _, one in sorted(found, key=lambda each: each[0]))


def _coverage(contract: Contract, held: list[Holding], period: Period) -> Iterator[tuple[int, Coverage]]:
    """The coverage of holdings of one model, product and country, each with when its holding began."""
    first = held[0]
    bounds = {period.start_at, period.end_at}
    for one in entitlements_of(contract, first.product, first.country, first.model):
        bounds |= {one.from_at, one.until_at or period.end_at}
    for holding in held:
        bounds |= {holding.from_at, holding.until_at or period.end_at}
    lost: dict[Holding, list[tuple[int, int]]] = {}
    held_at = _Concurrency(held)
    for from_at, until_at in pairwise(sorted(at for at in bounds if period.start_at <= at <= period.end_at)):
        seats = seats_at(contract, first.product, first.country, first.model, from_at)
        if held_at.count(from_at) > seats:
            for holding in [one for one in held if one.holds(from_at)][seats:]:
                lost.setdefault(holding, []).append((from_at, until_at))
    for holding in held:
        from_at = max(holding.from_at, period.start_at)
        until_at = period.end_at if holding.until_at is None else min(holding.until_at, period.end_at)
        for kept_from, kept_until in _without(from_at, until_at, lost.get(holding, ())):
            yield (
                holding.from_at,
                Coverage(holding.product, holding.country, holding.model, holding.user, kept_from, kept_until),
            )


class _Concurrency:
    """How many of some holdings are held at an instant."""

    def __init__(self, held: Sequence[Holding]) -> None:
        self._starts = sorted(one.from_at for one in held)
        self._ends = sorted(one.until_at for one in held if one.until_at is not None)

    def count(self, at: int) -> int:
        return bisect_right(self._starts, at) - bisect_right(self._ends, at)


def _without(from_at: int, until_at: int, lost: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The stretches of ``[from_at, until_at)`` outside some stretches that ascend, none of them empty."""
    for lost_from, lost_until in lost:
        if from_at < lost_from:
            yield from_at, lost_from
        from_at = lost_until
    if from_at < until_at:
        yield from_at, until_at
