"""Writing facts: the result does not depend on order, repetition and grouping of rows."""

from __future__ import annotations

from itertools import permutations

import pytest

from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.usage_frames import Delivery
from pipeline.model.evidence import Heartbeat, SessionClose, SessionDay
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT, SLOTS_PER_DAY
from pipeline.rules.evidence.merge import fold
from pipeline.store.client import Client, Row
from pipeline.store.facts import write_completeness, write_denials
from pipeline.store.stored_sessions import Selection, read_session_days
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant, merged
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_closes, write_deliveries, write_session_days

OPENED_AT = instant("2022-05-03 23:45")


def heartbeats_of(account: str) -> list[Heartbeat]:
    """A session over midnight with different openings, versions and activity, and a trial session."""
    late = instant("2022-05-04 00:12")
    return [
        *beating(heartbeat(OPENED_AT, late, account=account)),
        heartbeat(OPENED_AT - 60_000, late, since=late, account=account, version="9.2", resumed_at=late),
        heartbeat(OPENED_AT, late + 1, since=late, account=account, version="10.2", active_at=late),
        heartbeat(OPENED_AT, late, account=account, usage="trial", country="SK"),
    ]


def stored(store: Client, account: str) -> list[SessionDay]:
    return merged(read_session_days(store, Selection(account, EARLIEST_AT, LATEST_AT)))


def raw(store: Client, query: str, account: str) -> list[Row]:
    return [*store.query(f"{query} WHERE account = {{account:String}} ORDER BY ALL", {"account": account}).result_rows]


def test_stored_session_days_equal_the_fold(store: Client) -> None:
    account = new_account()
    write_session_days(store, fold(heartbeats_of(account), received_at=OPENED_AT + 7))
    assert stored(store, account) == fold(heartbeats_of(account), received_at=OPENED_AT + 7)


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_inserts_in_any_order_and_twice_give_a_row_per_session_and_day(store: Client, order: tuple[int, ...]) -> None:
    account = new_account()
    for part in (*order, order[0]):
        for day in fold(heartbeats_of(account)[part::3]):
            write_session_days(store, [day])
    rows = read_session_days(store, Selection(account, EARLIEST_AT, LATEST_AT))
    assert len(rows) == len(fold(heartbeats_of(account))) == 4
    assert merged(rows) == fold(heartbeats_of(account))


def test_unmerged_rows_are_merged_by_the_query(store: Client) -> None:
    account = new_account()
    store.command("SYSTEM STOP MERGES usage_days")
    try:
        for beat in heartbeats_of(account):
            write_session_days(store, fold([beat]))
        assert stored(store, account) == fold(heartbeats_of(account))
        assert len(raw(store, "SELECT day FROM usage_days", account)) > 4
    finally:
        store.command("SYSTEM START MERGES usage_days")
    store.command("OPTIMIZE TABLE usage_days FINAL")
    assert len(raw(store, "SELECT day FROM usage_days", account)) == 4
    assert stored(store, account) == fold(heartbeats_of(account))


def test_the_first_and_last_time_of_receipt_are_kept(store: Client) -> None:
    account = new_account()
    beat = heartbeat(OPENED_AT, OPENED_AT + 60_000, account=account)
    for received_at in (OPENED_AT + 500, OPENED_AT + 100, OPENED_AT + 900):
        write_session_days(store, fold([beat], received_at))
    assert [(day.received_min_at, day.received_max_at) for day in stored(store, account)] == [
        (OPENED_AT + 100, OPENED_AT + 900)
    ]


def test_the_limits_of_the_evidence_range_are_stored_to_the_millisecond(store: Client) -> None:
    account = new_account()
    first = heartbeat(EARLIEST_AT, EARLIEST_AT + 1, account=account, session="first")
    last = heartbeat(LATEST_AT - DAY_MS, LATEST_AT - 1, account=account, session="last")
    write_session_days(store, fold([first, last]))
    assert stored(store, account) == fold([first, last])
    assert {day.used_slots for day in fold([last])} == {(1 << SLOTS_PER_DAY) - 1}


def test_names_are_stored_unchanged(store: Client) -> None:
    account = new_account("ä'\\`\"{x:String}")
    beat = heartbeat(OPENED_AT, OPENED_AT + 60_000, account=account, product="%(a)s", machine="\\N", user="o'neil 😀")
    write_session_days(store, fold([beat]))
    assert stored(store, account) == fold([beat])


def test_an_empty_write_is_not_an_error(store: Client) -> None:
    write_session_days(store, [])
    write_closes(store, [])
    write_deliveries(store, {"acme": []})
    write_denials(store, [])


def test_the_latest_close_of_a_session_is_kept(store: Client) -> None:
    account = new_account()
    session = fold([heartbeat(OPENED_AT, OPENED_AT, account=account)])[0].session
    for closed_at in (OPENED_AT + 5, OPENED_AT + 9, OPENED_AT + 1):
        write_closes(store, [SessionClose(session, closed_at)])
    query = "SELECT machine, user, session, toUnixTimestamp64Milli(closed_at) FROM session_closes FINAL"
    assert raw(store, query, account) == [("pc1", "eva", "s", OPENED_AT + 9)]


def test_deliveries_are_stored_by_their_place(store: Client) -> None:
    account = new_account()
    for counted in ((0, 3), (999, 4), (1_000, 5), (0, 3), (999, 4)):
        write_deliveries(store, {account: [Delivery("log", "heartbeats", 1, *counted)]})
    query = "SELECT partition, block, heartbeats FROM deliveries FINAL"
    assert raw(store, query, account) == [(1, 0, {0: 3, 999: 4}), (1, 1, {1_000: 5})]


def test_a_denial_that_is_written_twice_is_stored_once(store: Client) -> None:
    account = new_account()
    denial = Denial(account, "id", "denied", OPENED_AT, "ACD", "eva", "pc1", "no seat", "a.log", 7)
    write_denials(store, [denial])
    write_denials(store, [denial])
    query = (
        "SELECT id, kind, toUnixTimestamp64Milli(at), feature, user, machine, detail, source, line FROM denials FINAL"
    )
    assert raw(store, query, account) == [
        ("id", "denied", OPENED_AT, "ACD", "eva", "pc1", "no seat", "a.log", 7),
    ]


def test_completeness_only_grows(store: Client) -> None:
    account = new_account()
    for until_at in (5_000, 9_000, 7_000):
        write_completeness(store, account, "log", until_at)
    query = "SELECT log, toUnixTimestamp64Milli(complete_until) FROM completeness FINAL"
    assert raw(store, query, account) == [("log", 9_000)]
