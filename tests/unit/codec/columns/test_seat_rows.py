"""Seat rows: what of usage rows live counts keep, and for how long."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pytest

from pipeline.codec.columns.seat_rows import SEAT_ROWS, evidence_of, of_latest_days, seat_rows
from pipeline.codec.columns.usage_rows import NO_DAY, folded, rows_of_days
from pipeline.model.evidence import Heartbeat, SessionClose, SessionDay
from pipeline.model.instants import DAY_MS, MINUTE_MS, day_of
from pipeline.rules.evidence.merge import UsageFold
from tests.support.evidence.evidence_shorthand import heartbeat, instant

NOON_AT = instant("2022-05-04 12:00")
DAY = day_of(NOON_AT)


def rows_of(*heartbeats: Heartbeat) -> pa.Table:
    usage = UsageFold()
    for beat in heartbeats:
        usage.add(beat, 0)
    return rows_of_days(usage.session_days(), usage.closes())


def on_days(rows: pa.Table) -> list[int]:
    return [evidence.day for evidence in evidence_of(rows) if isinstance(evidence, SessionDay)]


def used_on(days: Iterable[int], account: str = "acme") -> list[Heartbeat]:
    return [heartbeat(NOON_AT + day * DAY_MS, NOON_AT + day * DAY_MS, account=account) for day in days]


def test_a_row_keeps_what_seats_need() -> None:
    beat = heartbeat(NOON_AT, NOON_AT + 20 * MINUTE_MS, resumed_at=NOON_AT, active_at=NOON_AT, state="close")
    rows = folded(seat_rows(rows_of(beat)))
    assert rows.schema == SEAT_ROWS
    day, close = evidence_of(rows)
    assert day == SessionDay(close.session, DAY, NOON_AT, beat.at, 0b11 << 72, {}, "", 0, 0)
    assert close == SessionClose(close.session, beat.at)


@pytest.mark.parametrize("last_at", [0, NOON_AT + MINUTE_MS])
def test_a_close_without_evidence_merges_into_the_day_on_which_it_was(last_at: int) -> None:
    closed_at = NOON_AT + MINUTE_MS
    bare = rows_of(heartbeat(NOON_AT, closed_at, since=closed_at, state="close"))
    assert bare["day"].to_pylist() == [NO_DAY]
    bare = bare.set_column(bare.schema.get_field_index("last_at"), "last_at", pa.array([last_at]))
    rows = folded(pa.concat_tables([seat_rows(bare), seat_rows(rows_of(heartbeat(NOON_AT, NOON_AT)))]))
    day, close = evidence_of(rows)
    assert isinstance(day, SessionDay)
    assert (rows.num_rows, day.opened_at, day.last_at) == (1, NOON_AT, NOON_AT)
    assert close == SessionClose(day.session, closed_at)
    assert list(evidence_of(seat_rows(bare))) == [close]


def test_the_latest_days_are_those_of_each_account() -> None:
    rows = seat_rows(rows_of(*used_on(range(5)), *used_on(range(-9, -2), account="studio")))
    assert sorted(on_days(of_latest_days(rows, 2))) == [DAY - 4, DAY - 3, DAY + 3, DAY + 4]
    assert on_days(of_latest_days(seat_rows(rows_of()), 2)) == []


def test_only_evidence_says_which_day_is_the_latest() -> None:
    closed_at = NOON_AT + 5 * DAY_MS
    rows = seat_rows(rows_of(*used_on([0, 1]), heartbeat(NOON_AT, closed_at, since=closed_at, state="close")))
    assert sorted(on_days(of_latest_days(rows, 2))) == [DAY, DAY + 1]


def test_a_close_is_kept_longer_than_its_evidence() -> None:
    """Evidence up to midnight lies on the day before the close."""
    midnight_at = (DAY + 1) * DAY_MS
    until_midnight = heartbeat(midnight_at - MINUTE_MS, midnight_at, since=midnight_at - MINUTE_MS, state="close")
    attached = rows_of(until_midnight)
    rows = attached.filter(pa.array([day != NO_DAY for day in attached["day"].to_pylist()]))
    rows = rows.set_column(rows.schema.get_field_index("closed_at"), "closed_at", pa.array([midnight_at]))
    latest = seat_rows(pa.concat_tables([rows, rows_of(*used_on([1]))]))
    kept = list(evidence_of(of_latest_days(latest, 1)))
    assert SessionClose(kept[0].session, midnight_at) in kept
    assert SessionClose(kept[0].session, midnight_at) not in list(
        evidence_of(of_latest_days(seat_rows(pa.concat_tables([rows, rows_of(*used_on([2]))])), 1))
    )
