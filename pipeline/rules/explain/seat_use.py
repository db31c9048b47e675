"""Where use of a seat line's product counts: in a step of the waterfall, the pool, in tokens or nowhere (RULES 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.model.instants import BASE_SLOT_MS, Period
from pipeline.model.statements import SeatLine, VoidEntry
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.uncounted import Uncounted, uncounted_by_void
from pipeline.rules.live.grace import counts_from
from pipeline.rules.orders.voids import without_voided
from pipeline.rules.people.checkout_counts import offline_spans
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.people.coverage import Covered
from pipeline.rules.pool.counting import judge_slot, used_slots
from pipeline.rules.pool.reading import ContractReading

CountedIn = Literal["single_user", "practitioner", "named", "pooled", "flex"]
"""Where use counts: the steps of the waterfall that cover it, the pool after them, or the charges in tokens."""
SlotsByStep = Mapping[CountedIn, tuple[int, ...]]
"""The starts of slots by where use counts in them, ascending. In tokens a slot is a base slot."""


@dataclass(frozen=True, slots=True)
class SessionUse:
    """A session of the line's product and where it counts; ``uncounted`` is why it counts nowhere in the period."""

    session: Session
    slots: SlotsByStep
    uncounted: Uncounted | None
    policy: MeteringPolicy


@dataclass(frozen=True, slots=True)
class CheckoutUse:
    """A licence taken offline and where it counts."""

    taken: TakenOut
    slots: SlotsByStep


class _JudgedSlot(NamedTuple):
    """A slot of the line's product that a session used: where it counts, or why not."""

    slot_at: int
    uncounted: Uncounted | None
    counted_in: CountedIn
    policy: MeteringPolicy


def session_use(
    reading: ContractReading,
    period: Period,
    line: SeatLine,
    session: Session,
    covered: Covered,
    voids: Sequence[VoidEntry],
) -> SessionUse | None:
    """Where a session counts; ``None`` where it has no use of the line's product in the period."""
    judged = list(_judged(reading, period, line, session, covered))
    if not judged:
        return None
    left = [slot for kept in without_voided([session], voids) for slot in _judged(reading, period, line, kept, covered)]
    slots = _by_step((slot.counted_in, slot.slot_at) for slot in left if slot.uncounted is None)
    last, uncounted = (left or judged)[-1], None
    if not slots:
        uncounted = last.uncounted
        if not left or any(slot.uncounted is None for slot in judged):
            used_at = [at for at in session.used_at() if period.contains(at)]
            uncounted = uncounted_by_void(session, last.policy, used_at, voids)
    return SessionUse(session, slots, uncounted, last.policy)


def checkout_uses_of(
    reading: ContractReading, period: Period, line: SeatLine, checkouts: Iterable[TakenOut], covered: Covered
) -> list[CheckoutUse]:
    """Where the checkouts of the line's product count in the period."""
    pool = line.product, line.country
    by_checkout: dict[TakenOut, list[tuple[CountedIn, int]]] = {}
    for span in offline_spans(reading, checkouts, period):
        judgement, user = span.judgement, span.taken.user
        if (judgement.product, judgement.country) == pool:
            for slot_at in range(span.from_at, span.until_at, judgement.policy.slot_ms):
                coverage = covered.by(*pool, user, slot_at, judgement.policy.slot_ms)
                slots = by_checkout.setdefault(span.taken, [])
                slots.append(("pooled" if coverage is None else coverage.step, slot_at))
    return [CheckoutUse(taken, _by_step(slots)) for taken, slots in by_checkout.items()]


def _judged(
    reading: ContractReading, period: Period, line: SeatLine, session: Session, covered: Covered
) -> Iterator[_JudgedSlot]:
    """The slots of the line's product that a session used in the period, those charged in tokens last."""
    key, pool = session.key, (line.product, line.country)
    if reading.country_of(key.country) != line.country:
        return
    for judgement in reading.judgements(key.product, key.country, period):
        if (judgement.product, judgement.country) != pool:
            continue
        policy = judgement.policy
        for slot_at in used_slots(session, policy, judgement.from_at, judgement.until_at):
            coverage = covered.by(*pool, key.user, slot_at, policy.slot_ms)
            reason = judge_slot(session, slot_at, policy)
            uncounted = None if reason == "counted" else Uncounted(session, reason, counts_from(session, policy))
            yield _JudgedSlot(slot_at, uncounted, "pooled" if coverage is None else coverage.step, policy)
    for at in session.used_at():
        if not period.contains(at) or reading.product_at(key.product, at) != line.product:
            continue
        if reading.is_charged(*pool, at):
            coverage = covered.by(*pool, key.user, at, BASE_SLOT_MS)
            uncounted = None if session.is_production else Uncounted(session, "not_production", session.opened_at)
            is_seated = coverage is not None and coverage.step == "single_user"  # no other seat spares tokens (RULES 6)
            yield _JudgedSlot(at, uncounted, "single_user" if is_seated else "flex", reading.policy_at(*pool, at))


def _by_step(slots: Iterable[tuple[CountedIn, int]]) -> SlotsByStep:
    by_step: dict[CountedIn, list[int]] = {}
    for counted_in, slot_at in slots:
        by_step.setdefault(counted_in, []).append(slot_at)
    return {counted_in: tuple(sorted(starts)) for counted_in, starts in by_step.items()}
