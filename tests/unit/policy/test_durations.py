"""Durations in the notation of policy tables and contracts."""

from __future__ import annotations

import pytest

from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS
from pipeline.policy.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "ms"), [("90s", 90_000), ("12m", 12 * MINUTE_MS), ("24h", 24 * HOUR_MS), ("1d", DAY_MS), ("0m", 0)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("text", ["", "12", "m", "12 m", "-1m", "1.5h", "1w", "12M", "\u0661m", "1m\n", "1234567s"])
def test_other_texts_are_refused_as_durations(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 90s, 12m, 24h or 1d"):
        parse_duration(text)
