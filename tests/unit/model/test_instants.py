"""Instants are integers inside; calendar dates occur only at the edges (RULES, opening)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from pipeline.model.instants import (
    BASE_SLOT_MS,
    DAY_MS,
    EARLIEST_AT,
    LATEST_AT,
    SLOTS_PER_DAY,
    Period,
    at_datetime,
    at_midnight,
    calendar_day,
    day_of,
    iso,
)


@pytest.mark.parametrize(
    ("name", "first", "following", "days"),
    [
        ("2022Q1", date(2022, 1, 1), date(2022, 4, 1), 90),
        ("2022Q2", date(2022, 4, 1), date(2022, 7, 1), 91),
        ("2022Q3", date(2022, 7, 1), date(2022, 10, 1), 92),
        ("2022Q4", date(2022, 10, 1), date(2023, 1, 1), 92),
        ("2024Q1", date(2024, 1, 1), date(2024, 4, 1), 91),
        ("2000Q1", date(2000, 1, 1), date(2000, 4, 1), 91),
        ("2100Q1", date(2100, 1, 1), date(2100, 4, 1), 90),
        ("2100Q4", date(2100, 10, 1), date(2101, 1, 1), 92),
    ],
)
def test_a_quarter_lasts_from_its_first_midnight_to_that_of_the_next_quarter(
    name: str, first: date, following: date, days: int
) -> None:
    period = Period.parse(name)
    assert (period.name, period.start_at, period.end_at) == (name, at_midnight(first), at_midnight(following))
    assert (period.end_at - period.start_at) // DAY_MS == days


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2022",
        "2022Q0",
        "2022Q5",
        "2022q1",
        " 2022Q1",
        "2022Q1\n",
        "1999Q4",
        "2101Q1",
        "22Q1",
        "\uff12\uff10\uff12\uff12Q1",
        "\u0662\u0660\u0662\u0662Q1",
    ],
)
def test_other_texts_are_refused_as_quarters(text: str) -> None:
    with pytest.raises(ValueError, match="is not a calendar quarter such as 2022Q2"):
        Period.parse(text)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2022, 1, 1), "2022Q1"),
        (date(2022, 3, 31), "2022Q1"),
        (date(2022, 4, 1), "2022Q2"),
        (date(2024, 2, 29), "2024Q1"),
        (date(2022, 12, 31), "2022Q4"),
    ],
)
def test_an_instant_lies_in_the_quarter_of_its_utc_day(day: date, name: str) -> None:
    assert Period.containing(at_midnight(day)).name == name
    assert Period.containing(at_midnight(day) + DAY_MS - 1).name == name


def test_a_quarter_includes_its_start_and_excludes_its_end() -> None:
    period = Period.parse("2022Q2")
    assert [period.contains(at) for at in (period.start_at - 1, period.start_at, period.end_at - 1, period.end_at)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_evidence_may_be_from_the_years_2000_to_2100() -> None:
    assert at_midnight(date(2000, 1, 1)) == EARLIEST_AT
    assert at_midnight(date(2101, 1, 1)) == LATEST_AT


def test_a_day_has_144_base_slots_aligned_to_the_epoch() -> None:
    assert SLOTS_PER_DAY == 144
    assert SLOTS_PER_DAY * BASE_SLOT_MS == DAY_MS


@pytest.mark.parametrize(
    ("at", "day"),
    [(0, date(1970, 1, 1)), (DAY_MS - 1, date(1970, 1, 1)), (DAY_MS, date(1970, 1, 2)), (-1, date(1969, 12, 31))],
)
def test_a_day_includes_its_midnight_and_excludes_the_next(at: int, day: date) -> None:
    assert calendar_day(day_of(at)) == day


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (1_651_569_000_000, "2022-05-03T09:10:00Z"),
        (1_651_569_000_999, "2022-05-03T09:10:00Z"),
        (1_651_568_999_999, "2022-05-03T09:09:59Z"),
        (1_709_164_800_000, "2024-02-29T00:00:00Z"),
        (LATEST_AT - 1, "2100-12-31T23:59:59Z"),
    ],
)
def test_an_instant_is_written_in_utc_rounded_down_to_the_second(at: int, text: str) -> None:
    assert iso(at) == text


def test_a_datetime_is_the_same_instant_in_any_time_zone() -> None:
    moment = datetime(2022, 5, 3, 9, 10, tzinfo=UTC)
    assert at_datetime(moment) == 1_651_569_000_000
    assert at_datetime(moment.astimezone(timezone(timedelta(hours=5, minutes=45)))) == 1_651_569_000_000
    assert at_datetime(moment + timedelta(microseconds=1_999)) == 1_651_569_000_001


def test_a_datetime_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="names no instant"):
        at_datetime(datetime(2022, 5, 3, 9, 10))  # noqa: DTZ001 -- that is the point
