"""Sessions in grace: open, and not yet counting under their policy (RULES 3.1 and 3.2)."""

from __future__ import annotations

from pipeline.policy.metering import MeteringPolicy
from pipeline.rules.sessions import Session


def counts_from(session: Session, policy: MeteringPolicy) -> int:
    """The first instant at which continued use of a session counts: past its grace, past the slot of its opening."""
    recorded_at = session.opened_at + policy.min_use_ms
    if policy.opening_slot_counts:
        return recorded_at
    opening_slot_end_at = (session.opened_at // policy.slot_ms + 1) * policy.slot_ms
    return max(recorded_at, opening_slot_end_at)
