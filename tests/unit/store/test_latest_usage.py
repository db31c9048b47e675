"""The latest usage of accounts, read as seat rows."""

from __future__ import annotations

from pipeline.codec.columns.seat_rows import SEAT_ROWS, evidence_of
from pipeline.codec.columns.usage_rows import folded
from pipeline.model.evidence import Heartbeat, SessionClose, SessionDay, SessionKey
from pipeline.model.instants import DAY_MS, MINUTE_MS
from pipeline.rules.evidence.merge import fold
from pipeline.store.client import Client
from pipeline.store.latest_usage import LatestDay, read_latest_days, read_seat_rows, release_memory
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_closes, write_session_days

DAYS = 3


def used_from(start: str, account: str, days: int = 5) -> list[Heartbeat]:
    opened_at = instant(f"{start} 12:00")
    beats = [opened_at + day * DAY_MS for day in range(days)]
    return [heartbeat(at, at, account=account, session=f"s{number}") for number, at in enumerate(beats)]


def latest_of(store: Client, *accounts: str) -> list[LatestDay]:
    return [latest for latest in read_latest_days(store, DAYS) if latest.account in accounts]


def test_the_latest_days_are_those_of_each_account(store: Client) -> None:
    early, late, between = new_account(), new_account(), new_account()
    for account, start in ((early, "2014-05-01"), (late, "2022-05-01"), (between, "2018-01-01")):
        write_session_days(store, fold(used_from(start, account)))
    accounts = latest_of(store, early, late)
    first_days = {early: instant("2014-05-03 00:00") // DAY_MS, late: instant("2022-05-03 00:00") // DAY_MS}
    assert sorted(accounts) == sorted(LatestDay(account, first + 2, 3) for account, first in first_days.items())
    days = [day for day in evidence_of(read_seat_rows(store, accounts, DAYS)) if isinstance(day, SessionDay)]
    assert {(day.session.account, day.day) for day in days} == {
        (account, first + day) for account, first in first_days.items() for day in range(3)
    }


def test_closes_are_read_for_the_same_days_and_merge_into_them(store: Client) -> None:
    account = new_account()
    beats = used_from("2022-05-01", account)
    write_session_days(store, fold(beats))
    keys = [SessionKey(*beat[:7]) for beat in beats]
    closed = [SessionClose(key, beat.at + MINUTE_MS) for key, beat in zip(keys, beats, strict=True)]
    write_closes(store, [closed[0], closed[3]])
    write_closes(store, [closed[3]._replace(closed_at=closed[3].closed_at - 1)])
    write_closes(store, [closed[4]])
    rows = read_seat_rows(store, latest_of(store, account), DAYS)
    assert rows.schema == SEAT_ROWS
    merged = folded(rows)
    assert merged.num_rows == DAYS
    closes = [evidence for evidence in evidence_of(merged) if isinstance(evidence, SessionClose)]
    assert sorted(closes) == [closed[3], closed[4]]


def test_accounts_without_closes_and_with_every_slot_are_read(store: Client) -> None:
    account = new_account()
    midnight_at = instant("2022-05-04 00:00")
    (day,) = fold([heartbeat(midnight_at, midnight_at + DAY_MS - 1, account=account)])
    write_session_days(store, [day])
    (read,) = evidence_of(read_seat_rows(store, latest_of(store, account), DAYS))
    assert isinstance(read, SessionDay)
    assert (read.used_slots, read.opened_at, read.last_at) == (2**144 - 1, day.opened_at, day.last_at)


def test_memory_is_released_without_an_effect_on_what_is_stored(store: Client) -> None:
    account = new_account()
    write_session_days(store, fold(used_from("2022-05-01", account)))
    release_memory(store)
    assert [latest.account for latest in latest_of(store, account)] == [account]
