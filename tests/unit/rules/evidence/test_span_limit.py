"""Span limit: which times a heartbeat may carry together, over at most 35 days (RULES 1)."""

from __future__ import annotations

import pytest

from pipeline.model.instants import DAY_MS, HOUR_MS
from pipeline.rules.evidence.span_limit import SPAN_MS_MAX, invalid_times
from tests.support.evidence.evidence_shorthand import instant

NOON = instant("2022-05-03 12:00")


def code_of(
    opened_at: int, since: int, at: int, resumed_at: int | None = None, active_at: int | None = None
) -> tuple[str, str] | None:
    """The code and the field of what is wrong."""
    invalid = invalid_times(opened_at, since, at, resumed_at, active_at)
    return None if invalid is None else (invalid.code, invalid.field)


def test_a_heartbeat_speaks_of_at_most_35_days() -> None:
    assert SPAN_MS_MAX == 35 * 24 * HOUR_MS
    assert code_of(NOON - 35 * DAY_MS, NOON, NOON) is None
    assert code_of(NOON - 35 * DAY_MS - 1, NOON, NOON) == ("span_too_long", "opened_at")
    assert code_of(NOON - 36 * DAY_MS, NOON - 36 * DAY_MS, NOON) == ("span_too_long", "opened_at")


@pytest.mark.parametrize(("opened", "since", "at"), [(1, 0, 2), (0, 2, 1), (2, 2, 1), (1, 1, 0), (0, -1, 1)])
def test_use_begins_at_the_opening_or_later_and_ends_when_the_heartbeat_is_sent(
    opened: int, since: int, at: int
) -> None:
    assert code_of(NOON + opened, NOON + since, NOON + at) == ("times_out_of_order", "since")


@pytest.mark.parametrize(("resumed", "active"), [(-1, 5), (6, 5), (0, 11)])
def test_activity_lies_in_order_between_the_opening_and_the_heartbeat(resumed: int, active: int) -> None:
    wrong = code_of(NOON, NOON, NOON + 10, NOON + resumed, NOON + active)
    assert wrong == ("times_out_of_order", "active_at")


def test_times_may_be_equal() -> None:
    assert code_of(NOON, NOON, NOON, NOON, NOON) is None


def test_both_times_of_activity_come_together_or_none() -> None:
    assert code_of(NOON, NOON, NOON, NOON, None) == ("activity_incomplete", "active_at")
    assert code_of(NOON, NOON, NOON, None, NOON) == ("activity_incomplete", "resumed_at")
    assert code_of(NOON, NOON, NOON) is None
