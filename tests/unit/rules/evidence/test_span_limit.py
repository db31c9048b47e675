"""The 35-day span: which times a heartbeat may carry together."""

from __future__ import annotations

import pytest

from pipeline.model.instants import DAY_MS
from pipeline.rules.evidence.span_limit import SPAN_MS_MAX, invalid_times

AT = 1_651_568_460_000
OPENED_AT = AT - SPAN_MS_MAX


def test_a_heartbeat_spans_35_days_at_most() -> None:
    assert SPAN_MS_MAX == 35 * DAY_MS
    assert invalid_times(OPENED_AT, AT, AT, OPENED_AT, AT) is None
    invalid = invalid_times(OPENED_AT - 1, AT, AT, OPENED_AT, AT)
    assert invalid is not None
    assert (invalid.code, invalid.field) == ("span_too_long", "opened_at")


def test_a_client_that_was_active_throughout_omits_the_activity_fields() -> None:
    assert invalid_times(AT - 2, AT - 1, AT, None, None) is None


@pytest.mark.parametrize(
    ("since", "resumed_at", "active_at", "code", "field"),
    [
        (AT - 3, None, None, "times_out_of_order", "since"),
        (AT + 1, None, None, "times_out_of_order", "since"),
        (AT, AT, None, "activity_incomplete", "active_at"),
        (AT, None, AT, "activity_incomplete", "resumed_at"),
        (AT, AT - 3, AT, "times_out_of_order", "active_at"),
        (AT, AT, AT - 1, "times_out_of_order", "active_at"),
        (AT, AT, AT + 1, "times_out_of_order", "active_at"),
    ],
)
def test_times_out_of_order_are_refused_with_the_field_at_fault(
    since: int, resumed_at: int | None, active_at: int | None, code: str, field: str
) -> None:
    invalid = invalid_times(AT - 2, since, AT, resumed_at, active_at)
    assert invalid is not None
    assert (invalid.code, invalid.field) == (code, field)
