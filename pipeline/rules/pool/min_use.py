"""Minimum use: a session counts nowhere until it has lasted long enough (RULES 3.1).

RULES 3.1: "A session is recorded when last_at - opened_at >= min use (exactly 10 min is recorded), wherever its
evidence lies: a session that runs over midnight or a quarter's end is one session."

The store says the same in SQL, in ``_FACTS`` of ``store/counting/counts.py``.
"""

from __future__ import annotations

from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session


def is_recorded(session: Session, policy: MeteringPolicy) -> bool:
    """Whether a session has lasted for the policy's minimum use, by its whole life."""
    return session.last_at - session.opened_at >= policy.min_use_ms


def recorded_from(session: Session, policy: MeteringPolicy) -> int:
    """The first instant at which a session that goes on is recorded."""
    return session.opened_at + policy.min_use_ms
