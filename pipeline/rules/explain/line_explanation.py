"""Why a pooled line has its amount: the days that made it due, their slots, and what did not count (RULES 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.model.instants import DAY_MS, Period
from pipeline.model.statements import PooledLine, VoidEntry
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.flex_explanation import FlexLineExplanation
from pipeline.rules.explain.seat_explanation import SeatLineExplanation
from pipeline.rules.explain.slot_explanation import SlotExplanation
from pipeline.rules.explain.uncounted import Uncounted, uncounted_by_void, why_uncounted
from pipeline.rules.orders.voids import without_voided
from pipeline.rules.people.coverage import Covered
from pipeline.rules.pool.counting import used_slots
from pipeline.rules.pool.overused_slots import OverusedSlot, overused_slots
from pipeline.rules.pool.reading import ContractReading

DAYS_TAKEN_APART_MAX: Final = 3
"""The first over-used days, of which a slot is explained each. Of the other days the counts are shown."""


@dataclass(frozen=True, slots=True)
class UncountedOfDay:
    """A session used on a UTC day that counts in no slot of the pool on it; why, by its last slot of use there."""

    day: int
    policy: MeteringPolicy
    uncounted: Uncounted


@dataclass(frozen=True, slots=True)
class LineExplanation:
    """A line with every over-used slot by day. ``apart`` are single explained slots: the fullest of each of some days.

    Without over-use the first peak slot is explained. ``uncounted`` is of the days of ``apart``; where nothing counted
    at all, of the first days of use.
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
"""A line of any model, explained."""


def overused_by_day(
    reading: ContractReading, line: PooledLine, counts: Mapping[int, int]
) -> dict[int, tuple[OverusedSlot, ...]]:
    """The over-used slots of a line by UTC day, ascending. ``counts`` are the pool's units by slot."""
    days: dict[int, list[OverusedSlot]] = {}
    for slot in overused_slots(reading, line.product, line.country, counts):
        days.setdefault(slot.slot_at // DAY_MS, []).append(slot)
    return {day: tuple(slots) for day, slots in days.items()}


def slots_to_take_apart(line: PooledLine, overused: Mapping[int, tuple[OverusedSlot, ...]]) -> list[int]:
    """The fullest slot of each of the first over-used days; the first peak slot where there is none."""
    fullest = [max(slots, key=lambda slot: (slot.overuse, -slot.slot_at)).slot_at for slots in overused.values()]
    return fullest[:DAYS_TAKEN_APART_MAX] or [*line.peak_slots[:1]]


def uncounted_on(
    reading: ContractReading,
    line: PooledLine,
    period: Period,
    day: int,
    sessions: Iterable[Session],
    covered: Covered,
    voids: Sequence[VoidEntry] = (),
) -> list[UncountedOfDay]:
    """The sessions with use of the line's product on a UTC day that count in none of its slots, by opening.

    They are given as evidence has them. ``voids`` are applied here, and named where they are the reason.
    """
    uncounted = []
    for session in sorted(sessions, key=lambda session: (session.opened_at, session.key)):
        judged = _judged_on(reading, line, period, day, session, covered)
        if not judged:
            continue
        left = [
            slot
            for kept in without_voided([session], voids)
            for slot in _judged_on(reading, line, period, day, kept, covered)
        ]
        if any(reason is None for reason, _ in left):
            continue
        last, policy = (left or judged)[-1]
        if last is None or not left or any(reason is None for reason, _ in judged):
            used_at = [at for at in session.used_at() if at // DAY_MS == day]
            last = uncounted_by_void(session, policy, used_at, voids)
        uncounted.append(UncountedOfDay(day, policy, last))
    return uncounted


def _judged_on(
    reading: ContractReading, line: PooledLine, period: Period, day: int, session: Session, covered: Covered
) -> list[tuple[Uncounted | None, MeteringPolicy]]:
    """Of each slot of the line that a session used on a day why it does not count, ``None`` where it does; in order."""
    pool = line.product, line.country
    return [
        (why_uncounted(session, slot_at, pool, judgement.policy, covered), judgement.policy)
        for judgement in reading.judgements(session.key.product, session.key.country, period)
        if (judgement.product, judgement.country) == pool
        for slot_at in used_slots(
            session,
            judgement.policy,
            max(judgement.from_at, day * DAY_MS),
            min(judgement.until_at, (day + 1) * DAY_MS),
        )
    ]
