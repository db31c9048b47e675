"""Sessions in grace: open, and not yet counting under their policy (RULES 3.1, 3.2 and 9)."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.pool.counting import used_slots
from pipeline.rules.pool.min_use import recorded_from
from pipeline.rules.pool.opening_slot import first_countable_slot_at
from pipeline.rules.pool.reading import Judgement


def counts_from(session: Session, policy: MeteringPolicy) -> int:
    """The first instant at which continued use of a session counts: recorded, and past the slot of its opening."""
    return max(recorded_from(session, policy), first_countable_slot_at(session, policy))


def first_count(session: Session, judgements: Iterable[Judgement]) -> tuple[int, Judgement] | None:
    """When a session that counts nowhere yet begins to, if it goes on, and by which judgement; ``None``: by none.

    ``judgements`` are those of its code from its first used slot on. Each slot is judged by the policy in force at its
    start, so where policies change at midnight, a session may begin to count by the earlier or the later policy.
    """
    beginnings = [
        (begins_at, judgement) for judgement in judgements if (begins_at := _begins_at(session, judgement)) is not None
    ]
    return min(beginnings, key=lambda beginning: (beginning[0], beginning[1].from_at), default=None)


def _begins_at(session: Session, judgement: Judgement) -> int | None:
    policy = judgement.policy
    recorded_at = recorded_from(session, policy)
    eligible_at = max(judgement.from_at, first_countable_slot_at(session, policy))
    if any(True for _ in used_slots(session, policy, eligible_at, judgement.until_at)):
        return recorded_at
    touches_at = max(session.last_at, eligible_at)
    return max(touches_at, recorded_at) if touches_at < judgement.until_at else None
