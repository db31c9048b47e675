"""Which times a heartbeat may carry together: in order, and over at most 35 days (RULES 1).

This is the only statement of the rule in words. ``codec/topics/heartbeats.py`` asks it for each heartbeat;
``codec/columns/heartbeat_columns.py`` states it for columns and is held equal to it by a property.
"""

from __future__ import annotations

from typing import Final

from pipeline.model.errors import InvalidHeartbeat
from pipeline.model.instants import DAY_MS

SPAN_DAYS_MAX: Final = 35
"""How long before ``at`` a session may have been opened. A longer session goes on under a new id."""
SPAN_MS_MAX: Final = SPAN_DAYS_MAX * DAY_MS

_USE_UNORDERED: Final = InvalidHeartbeat("times_out_of_order", "since", "opened_at <= since <= at does not hold")
_TOO_LONG: Final = InvalidHeartbeat(
    "span_too_long", "opened_at", f"opened_at is more than {SPAN_DAYS_MAX} days before at"
)
_NO_RESUMED_AT: Final = InvalidHeartbeat(
    "activity_incomplete", "resumed_at", "resumed_at and active_at come together or not at all"
)
_NO_ACTIVE_AT: Final = InvalidHeartbeat(
    "activity_incomplete", "active_at", "resumed_at and active_at come together or not at all"
)
_ACTIVITY_UNORDERED: Final = InvalidHeartbeat(
    "times_out_of_order", "active_at", "opened_at <= resumed_at <= active_at <= at does not hold"
)


def invalid_times(
    opened_at: int, since: int, at: int, resumed_at: int | None, active_at: int | None
) -> InvalidHeartbeat | None:
    """The first thing wrong with the times of a heartbeat taken together, ``None`` where they are right.

    Each is inside the years 2000 to 2100 already. ``resumed_at`` and ``active_at`` are both absent where the client
    was active throughout.
    """
    if not opened_at <= since <= at:
        return _USE_UNORDERED
    if at - opened_at > SPAN_MS_MAX:
        return _TOO_LONG
    if resumed_at is None or active_at is None:
        if resumed_at is active_at:
            return None
        return _NO_RESUMED_AT if resumed_at is None else _NO_ACTIVE_AT
    return None if opened_at <= resumed_at <= active_at <= at else _ACTIVITY_UNORDERED
