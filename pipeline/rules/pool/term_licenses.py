"""Term licences: what is due for use of a pool beyond what is entitled (RULES 4).

RULES 4: "overuse of a slot = max(0, count - entitled)" and "Term licences due = the largest k such that more than
tolerance days days have a slot with overuse >= k (tolerance 0: the highest overuse)".
"""

from __future__ import annotations

from collections.abc import Mapping


def overuse(count: int, entitled: int) -> int:
    """Units of a slot beyond what was entitled at its start."""
    return max(0, count - entitled)


def term_licenses_due(overuse_by_day: Mapping[int, int], tolerance_days: int) -> int:
    """The largest k such that more than ``tolerance_days`` days have a slot over-used by k or more.

    ``overuse_by_day`` maps a UTC day to the highest over-use of its slots.
    """
    highest_first = sorted(overuse_by_day.values(), reverse=True)
    return highest_first[tolerance_days] if tolerance_days < len(highest_first) else 0
