"""Laws of effective-dated policies (RULES 2): the last row that has begun is in force."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.contracts import CustomPolicy
from pipeline.model.instants import DAY_MS, Period, at_midnight, calendar_day, day_of, iso
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.metering_policies import resolve
from pipeline.policy.timeline import BeforeFirstRow, Timeline

starts = st.lists(st.integers(10, 40), min_size=1, max_size=6, unique=True).map(sorted)


def timeline(starts: list[int]) -> Timeline[str]:
    return Timeline("some", tuple((at, f"from {at}") for at in starts))


def in_force(starts: list[int], at: int) -> str | None:
    return next((f"from {start}" for start in reversed(starts) if start <= at), None)


@given(starts, st.integers(0, 50))
def test_the_value_at_an_instant_is_that_of_the_last_row_that_has_begun(starts: list[int], at: int) -> None:
    expected = in_force(starts, at)
    if expected is None:
        with pytest.raises(BeforeFirstRow, match="some is defined from 1970-01-01 on"):
            timeline(starts).at(at)
    else:
        assert timeline(starts).at(at) == expected


@given(starts, st.integers(0, 50), st.integers(0, 50))
def test_segments_adjoin_and_have_the_value_in_force_at_every_instant(
    starts: list[int], from_at: int, until_at: int
) -> None:
    if from_at < until_at and from_at < starts[0]:
        with pytest.raises(BeforeFirstRow):
            list(timeline(starts).segments(from_at, until_at))
        return
    segments = list(timeline(starts).segments(from_at, until_at))
    said = [(at, segment.value) for segment in segments for at in range(segment.from_at, segment.until_at)]
    assert said == [(at, in_force(starts, at)) for at in range(from_at, until_at)]
    assert all(segment.from_at < segment.until_at for segment in segments)
    assert len(segments) == len({segment.value for segment in segments})


custom_starts = st.dates(date(2016, 4, 1), date(2024, 1, 1)).map(at_midnight)


@given(st.lists(custom_starts, min_size=1, max_size=4), st.integers(0, 10_000))
def test_a_chain_of_policies_begins_with_its_latest_start_and_overrides_its_base(chain: list[int], day: int) -> None:
    chain = sorted(chain)
    custom = {
        f"own{n}": CustomPolicy(
            f"own{n}",
            f"own{n - 1}" if n else "bentley-select",
            at,
            tolerance_days=n,
            min_use_ms=60_000 if n == 0 else None,
        )
        for n, at in enumerate(chain)
    }
    name = f"own{len(chain) - 1}"
    timeline = resolve(name, metering_catalogue(), custom)
    assert timeline.first_at == chain[-1]
    row = timeline.at(chain[-1] + day * DAY_MS)
    assert (row.name, row.tolerance_days, row.min_use_ms) == (name, len(chain) - 1, 60_000)
    assert row.slot_ms == metering_catalogue()["bentley-select"].at(chain[-1]).slot_ms


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)), st.integers(0, DAY_MS - 1))
def test_every_instant_lies_in_exactly_one_quarter(day: date, ms: int) -> None:
    at = at_midnight(day) + ms
    period = Period.containing(at)
    assert period.contains(at)
    assert period == Period.parse(period.name)
    assert period.name == f"{day.year}Q{(day.month - 1) // 3 + 1}"
    assert Period.containing(period.start_at) == period == Period.containing(period.end_at - 1)
    assert 90 <= (period.end_at - period.start_at) // DAY_MS <= 92


@given(st.dates(date(1970, 1, 1), date(2149, 6, 6)))
def test_days_are_numbered_from_the_epoch(day: date) -> None:
    assert calendar_day(day_of(at_midnight(day))) == day
    assert day_of(at_midnight(day)) == (day - date(1970, 1, 1)) // timedelta(days=1)
    assert iso(at_midnight(day)) == f"{day}T00:00:00Z"
