"""Overuse of a slot, and the term licences due for a quarter (RULES 4)."""

from __future__ import annotations

import pytest

from pipeline.rules.pool.term_licenses import overuse, term_licenses_due


@pytest.mark.parametrize(("count", "entitled", "over"), [(3, 1, 2), (1, 1, 0), (1, 3, 0), (2, 0, 2)])
def test_overuse_is_the_excess_over_the_entitlement_and_never_negative(count: int, entitled: int, over: int) -> None:
    assert overuse(count, entitled) == over


@pytest.mark.parametrize(
    ("by_day", "tolerance_days", "due"),
    [
        ([], 0, 0),
        ([3], 0, 3),
        ([3, 1], 0, 3),
        ([3, 1], 1, 1),
        ([3, 1], 2, 0),
        ([5, 5, 5, 5], 4, 0),
        ([5, 5, 5, 5, 1], 4, 1),
        ([9, 2, 2, 2, 2, 1], 4, 2),
    ],
)
def test_term_licences_are_due_for_the_overuse_of_more_days_than_tolerated(
    by_day: list[int], tolerance_days: int, due: int
) -> None:
    assert term_licenses_due(dict(enumerate(by_day)), tolerance_days) == due
