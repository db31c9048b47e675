"""Whose use is covered by a seat of their own, and when (RULES 5, the first steps of the waterfall)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.model.contracts import Contract
from pipeline.model.instants import Period
from pipeline.rules.people.assignments import Holding
from pipeline.rules.people.latest_assignments_lose import lost_stretches
from pipeline.rules.pool.entitled import entitlements_of

WaterfallStep = Literal["single_user", "practitioner", "named"]
"""The steps of the waterfall that cover a user's use; then come the pool and the term licence."""
WATERFALL_STEPS: Final[tuple[WaterfallStep, ...]] = ("single_user", "practitioner", "named")


@dataclass(frozen=True, slots=True)
class Coverage:
    """A user's use in the slots that overlap ``[from_at, until_at)``, a stretch that is not empty, is covered."""

    product: str
    country: str
    step: WaterfallStep
    user: str
    from_at: int
    until_at: int

    def covers(self, slot_at: int, slot_ms: int) -> bool:
        """Whether a slot overlaps the stretch, if only in part."""
        return slot_at < self.until_at and self.from_at < slot_at + slot_ms


class Covered:
    """Coverage to be asked by product, country and user."""

    def __init__(self, coverage: Iterable[Coverage]) -> None:
        self._by_user: dict[tuple[str, str, str], list[Coverage]] = {}
        for stretch in sorted(coverage, key=lambda stretch: WATERFALL_STEPS.index(stretch.step)):
            self._by_user.setdefault((stretch.product, stretch.country, stretch.user), []).append(stretch)

    def by(self, product: str, country: str, user: str, slot_at: int, slot_ms: int) -> Coverage | None:
        """What covers a user's use in a slot: the first step of the waterfall that does."""
        stretches = self._by_user.get((product, country, user), ())
        return next((stretch for stretch in stretches if stretch.covers(slot_at, slot_ms)), None)


NOTHING_COVERED: Final = Covered(())


def seat_coverage(contract: Contract, holdings: Iterable[Holding], period: Period) -> tuple[Coverage, ...]:
    """What seats given by hand cover in a period, in the order of assignment: while seats are in force."""
    by_seats: dict[tuple[str, str, str], list[Holding]] = {}
    for holding in holdings:
        by_seats.setdefault((holding.product, holding.country, holding.model), []).append(holding)
    assigned = [pair for held in by_seats.values() for pair in _coverage(contract, held, period)]
    return tuple(coverage for _, coverage in sorted(assigned, key=lambda pair: pair[0]))


def _coverage(contract: Contract, held: list[Holding], period: Period) -> Iterator[tuple[int, Coverage]]:
    """The coverage of holdings of the same model, product and country, each with when its holding began."""
    lost = lost_stretches(contract, held, _bounds(contract, held, period))
    for holding in held:
        from_at = max(holding.from_at, period.start_at)
        until_at = period.end_at if holding.until_at is None else min(holding.until_at, period.end_at)
        for kept_from, kept_until in _without(from_at, until_at, lost.get(holding, ())):
            yield (
                holding.from_at,
                Coverage(holding.product, holding.country, holding.model, holding.user, kept_from, kept_until),
            )


def _bounds(contract: Contract, held: list[Holding], period: Period) -> list[int]:
    """The bounds of a period and the instants in it at which a holding or entitlement begins or ends, ascending."""
    bounds = {period.start_at, period.end_at}
    first = held[0]
    for entitlement in entitlements_of(contract, first.product, first.country, first.model):
        bounds |= {entitlement.from_at, entitlement.until_at or period.end_at}
    for holding in held:
        bounds |= {holding.from_at, holding.until_at or period.end_at}
    return sorted(at for at in bounds if period.start_at <= at <= period.end_at)


def _without(from_at: int, until_at: int, lost: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The stretches of ``[from_at, until_at)`` outside some stretches that ascend, none of them empty."""
    for lost_from, lost_until in lost:
        if from_at < lost_from:
            yield from_at, lost_from
        from_at = lost_until
    if from_at < until_at:
        yield from_at, until_at
