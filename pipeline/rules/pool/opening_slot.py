"""The opening slot: where the policy says so, the slot in which a session was opened never counts (RULES 3.2).

RULES 3.2: "where the slot of opened_at never counts, k is not that slot, even if it was used whole ('counting begins
in the second interval of use')."

The store says the same in SQL, as ``left_out`` in ``_FACTS`` of ``store/counting/counts.py``.
"""

from __future__ import annotations

from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session


def left_out_slot_at(session: Session, policy: MeteringPolicy) -> int | None:
    """The start of the slot in which a session never counts: that of its opening; ``None`` where it may count."""
    return None if policy.opening_slot_counts else opening_slot_at(session, policy)


def first_countable_slot_at(session: Session, policy: MeteringPolicy) -> int:
    """The start of the first slot in which a session may count: that of its opening, or the next."""
    slot_at = opening_slot_at(session, policy)
    return slot_at if policy.opening_slot_counts else slot_at + policy.slot_ms


def opening_slot_at(session: Session, policy: MeteringPolicy) -> int:
    """The start of the slot in which a session was opened."""
    return session.opened_at // policy.slot_ms * policy.slot_ms
