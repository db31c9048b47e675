"""Why a pooled line comes to its amount: the days that made it due, their slots, and what did not count (RULES 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.model.instants import DAY_MS, Period
from pipeline.model.statements import PooledLine, VoidEntry
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.dispute.packet import OverusedSlot, overused_slots
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.flex_explanation import FlexLineExplanation
from pipeline.rules.explain.seat_explanation import SeatLineExplanation
from pipeline.rules.explain.slot_explanation import SlotExplanation, Uncounted
from pipeline.rules.live.grace import counts_from
from pipeline.rules.orders.voids import voided_by, without_voided
from pipeline.rules.people.coverage import Covered
from pipeline.rules.pool.counting import judge_slot, used_slots
from pipeline.rules.pool.reading import ContractReading, Judgement

DAYS_TAKEN_APART_MAX: Final = 3
"""Over-used days of which a slot is taken apart: the first ones. All over-used slots are told with their counts."""


@dataclass(frozen=True, slots=True)
class UncountedOfDay:
    """A session used on a UTC day that counts in no slot of the pool on it; why, by its last slot of use there."""

    day: int
    policy: MeteringPolicy
    uncounted: Uncounted


@dataclass(frozen=True, slots=True)
class LineExplanation:
    """A line with every over-used slot by day. ``apart`` are single slots taken apart, one a day: the fullest.

    Without over-use the first peak slot is taken apart. ``uncounted`` is of the days of ``apart``; where nothing
    counted at all, of the first days of use.
    """

    account: str
    period: Period
    currency: str
    line: PooledLine
    tolerance_days: int | None
    overused: Mapping[int, tuple[OverusedSlot, ...]]
    apart: tuple[SlotExplanation, ...]
    uncounted: tuple[UncountedOfDay, ...]


ExplainedLine = LineExplanation | SeatLineExplanation | FlexLineExplanation
"""A line of any model, taken apart."""


def overused_by_day(
    reading: ContractReading, line: PooledLine, counts: Mapping[int, int]
) -> dict[int, tuple[OverusedSlot, ...]]:
    """The over-used slots of a line by UTC day, ascending. ``counts`` are the pool's units by slot."""
    days: dict[int, list[OverusedSlot]] = {}
    for one in overused_slots(reading, line.product, line.country, counts):
        days.setdefault(one.slot_at // DAY_MS, []).append(one)
    return {day: tuple(found) for day, found in days.items()}


def slots_to_take_apart(line: PooledLine, overused: Mapping[int, tuple[OverusedSlot, ...]]) -> list[int]:
    """The fullest slot of each of the first over-used days; the first peak slot where there is none."""
    fullest = [max(found, key=lambda one: (one.overuse, -one.slot_at)).slot_at for found in overused.values()]
    return fullest[:DAYS_TAKEN_APART_MAX] or [*line.peak_slots[:1]]


def uncounted_on(
    reading: ContractReading,
    line: PooledLine,
    period: Period,
    day: int,
    found: Iterable[Session],
    covered: Covered,
    voids: Sequence[VoidEntry] = (),
) -> list[UncountedOfDay]:
    """The sessions with use of the line's product on a UTC day that count in none of its slots, by opening.

    They are given as evidence tells them; ``voids`` are applied here, and told where they are the reason.
    """
    uncounted = []
    for session in sorted(found, key=lambda one: (one.opened_at, one.key)):
        judged = _judged_on(reading, line, period, day, session, covered)
        if not judged:
            continue
        left = [
            one
            for kept in without_voided([session], voids)
            for one in _judged_on(reading, line, period, day, kept, covered)
        ]
        if any(one.reason == "counted" for one, _ in left):
            continue
        last, policy = (left or judged)[-1]
        if not left or any(one.reason == "counted" for one, _ in judged):
            used = (at for at in session.used_at() if at // DAY_MS == day)
            void = next(void for at in used if (void := voided_by(session, at, voids)) is not None)
            last = Uncounted(session, "voided", last.counts_from, void=void)
        uncounted.append(UncountedOfDay(day, policy, last))
    return uncounted


def _judged_on(
    reading: ContractReading, line: PooledLine, period: Period, day: int, session: Session, covered: Covered
) -> list[tuple[Uncounted, MeteringPolicy]]:
    """A session in each slot of the line that it used on a day, in order of time."""
    return [
        (_judged(session, at, judgement, covered), judgement.policy)
        for judgement in reading.judgements(session.key.product, session.key.country, period)
        if (judgement.product, judgement.country) == (line.product, line.country)
        for at in used_slots(
            session,
            judgement.policy,
            max(judgement.from_at, day * DAY_MS),
            min(judgement.until_at, (day + 1) * DAY_MS),
        )
    ]


def _judged(session: Session, slot_at: int, judgement: Judgement, covered: Covered) -> Uncounted:
    """A session in one slot; ``reason`` is ``counted`` where it counts."""
    policy = judgement.policy
    reason = judge_slot(session, slot_at, policy)
    by = covered.by(judgement.product, judgement.country, session.key.user, slot_at, policy.slot_ms)
    if reason != "counted" or by is None:
        return Uncounted(session, reason, counts_from(session, policy))
    return Uncounted(session, "covered", counts_from(session, policy), by.step)
