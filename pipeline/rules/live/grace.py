"""Sessions in grace: open, and not yet counting under their policy (RULES 3.1 and 3.2)."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.pool.counting import used_slots
from pipeline.rules.pool.reading import Judgement


def counts_from(session: Session, policy: MeteringPolicy) -> int:
    """The first instant at which continued use of a session counts: past its grace, past the slot of its opening."""
    recorded_at = session.opened_at + policy.min_use_ms
    return recorded_at if policy.opening_slot_counts else max(recorded_at, _opening_slot_end_at(session, policy))


def first_count(session: Session, judgements: Iterable[Judgement]) -> tuple[int, Judgement] | None:
    """When a session that counts nowhere yet begins to, if it goes on, and by which judgement; ``None``: by none.

    ``judgements`` are those of its code from its first used slot on. Each slot is judged by the policy in force at its
    start, so where policies change at midnight, a session may begin to count by the earlier or by the later one.
    """
    found = [(begins_at, one) for one in judgements if (begins_at := _begins_at(session, one)) is not None]
    return min(found, key=lambda each: (each[0], each[1].from_at), default=None)


def _begins_at(session: Session, judgement: Judgement) -> int | None:
    policy = judgement.policy
    recorded_at = session.opened_at + policy.min_use_ms
    eligible_at = judgement.from_at
    if not policy.opening_slot_counts:
        eligible_at = max(eligible_at, _opening_slot_end_at(session, policy))
    if any(True for _ in used_slots(session, policy, eligible_at, judgement.until_at)):
        return recorded_at
    touches_at = max(session.last_at, eligible_at)
    return max(touches_at, recorded_at) if touches_at < judgement.until_at else None


def _opening_slot_end_at(session: Session, policy: MeteringPolicy) -> int:
    return (session.opened_at // policy.slot_ms + 1) * policy.slot_ms
