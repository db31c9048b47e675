"""Completeness: up to when all evidence is stored (RULES 7).

RULES 7: "Complete up to = the smallest append time that every partition of every agent has worked off". "A log's end is
its last time stamp."

Who works off logs notes the time, then reads the ends of all partitions, then waits until each agent is past them
(``agents/completeness_mark.py``). What was appended before the noted time is then stored, less what clocks may differ
by. Such a mark stays true for ever, so of several marks the latest holds; ``store/completeness_marks.py`` says that in
SQL.
"""

from __future__ import annotations

from typing import Final

from pipeline.model.instants import MINUTE_MS, Period

CLOCKS_DIFFER_MS_MAX: Final = MINUTE_MS
"""How far this host's clock may be ahead of a broker's, and how long a message may wait for its replicas, after its
time stamp and before it shows in a partition's end."""


def mark_of(noted_at: int) -> int:
    """Up to when evidence is complete once every agent has worked off the ends that were read after ``noted_at``."""
    return noted_at - CLOCKS_DIFFER_MS_MAX


def complete_in(period: Period, complete_until: int | None) -> int | None:
    """Up to when a period's evidence is complete: at most to its end, as later evidence cannot concern it.

    ``None`` where nothing says up to when.
    """
    return None if complete_until is None else min(complete_until, period.end_at)


def is_complete(period: Period, complete_until: int | None) -> bool:
    """Whether all evidence of a period is stored."""
    return complete_until is not None and complete_until >= period.end_at
