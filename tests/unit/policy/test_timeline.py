"""Effective-dated values: the last row that has begun is in force (RULES 2)."""

from __future__ import annotations

import pytest

from pipeline.model.instants import DAY_MS
from pipeline.policy.timeline import BeforeFirstRow, Segment, Timeline

TIMELINE = Timeline("rules", ((10 * DAY_MS, "old"), (20 * DAY_MS, "new")))


@pytest.mark.parametrize("rows", [(), ((1, "a"), (1, "b")), ((2, "a"), (1, "b"))])
def test_rows_must_be_sorted_by_their_start(rows: tuple[tuple[int, str], ...]) -> None:
    with pytest.raises(ValueError, match="the rows of rules must begin at strictly ascending dates, at least one"):
        Timeline("rules", rows)


@pytest.mark.parametrize(
    ("at", "value"), [(10 * DAY_MS, "old"), (20 * DAY_MS - 1, "old"), (20 * DAY_MS, "new"), (10**6 * DAY_MS, "new")]
)
def test_a_row_holds_from_its_start_until_the_next(at: int, value: str) -> None:
    assert TIMELINE.at(at) == value


def test_an_instant_before_the_first_row_is_an_error_that_names_its_start() -> None:
    with pytest.raises(BeforeFirstRow) as refused:
        TIMELINE.at(10 * DAY_MS - 1)
    assert str(refused.value) == "policy rules is defined from 1970-01-11 on; it says nothing of 1970-01-10"
    assert TIMELINE.first_at == 10 * DAY_MS


def test_segments_are_split_where_a_row_begins() -> None:
    assert list(TIMELINE.segments(15 * DAY_MS, 25 * DAY_MS)) == [
        Segment(15 * DAY_MS, 20 * DAY_MS, "old"),
        Segment(20 * DAY_MS, 25 * DAY_MS, "new"),
    ]
    assert list(TIMELINE.segments(15 * DAY_MS, 20 * DAY_MS)) == [Segment(15 * DAY_MS, 20 * DAY_MS, "old")]
    assert list(TIMELINE.segments(20 * DAY_MS, 21 * DAY_MS)) == [Segment(20 * DAY_MS, 21 * DAY_MS, "new")]
    assert list(TIMELINE.segments(15 * DAY_MS, 15 * DAY_MS)) == []


def test_segments_that_begin_before_the_first_row_are_an_error() -> None:
    with pytest.raises(BeforeFirstRow):
        list(TIMELINE.segments(9 * DAY_MS, 15 * DAY_MS))
