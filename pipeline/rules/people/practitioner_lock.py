"""Practitioner lock: after each assignment a practitioner's seat stays with its user for 30 days (RULES 5).

RULES 5: "a seat is locked for 30 x 24 h after each assignment". Until then the seat can be neither released nor taken
over. A single user's seat is assigned "without the lock".
"""

from __future__ import annotations

from typing import Final

from pipeline.model.instants import DAY_MS
from pipeline.model.orders import AssignableModel

LOCK_MS: Final = 30 * DAY_MS


def locked_until(model: AssignableModel, assigned_at: int) -> int:
    """The first instant at which a seat assigned at ``assigned_at`` can be released or taken over."""
    return assigned_at + LOCK_MS if model == "practitioner" else assigned_at
