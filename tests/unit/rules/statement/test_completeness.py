"""Completeness: the instant up to which all evidence is stored (RULES 7)."""

from __future__ import annotations

import pytest

from pipeline.model.instants import DAY_MS, Period
from pipeline.rules.statement.completeness import CLOCKS_DIFFER_MS_MAX, complete_in, is_complete, mark_of
from tests.support.evidence.evidence_shorthand import instant

QUARTER = Period.parse("2022Q2")


def test_a_mark_is_a_minute_before_the_noted_time_because_clocks_differ() -> None:
    assert CLOCKS_DIFFER_MS_MAX == 60_000
    assert mark_of(instant("2022-07-01 00:01")) == QUARTER.end_at


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (QUARTER.end_at - 1, QUARTER.end_at - 1),
        (QUARTER.end_at, QUARTER.end_at),
        (QUARTER.end_at + DAY_MS, QUARTER.end_at),
        (None, None),
    ],
)
def test_completeness_of_a_period_is_limited_to_its_end(mark: int | None, expected: int | None) -> None:
    assert complete_in(QUARTER, mark) == expected


@pytest.mark.parametrize(
    ("mark", "expected"), [(None, False), (QUARTER.end_at - 1, False), (QUARTER.end_at, True), (10**13, True)]
)
def test_a_period_is_complete_when_everything_to_its_end_is_stored(mark: int | None, expected: bool) -> None:
    assert is_complete(QUARTER, mark) is expected
