"""Sessions, and the fold of heartbeats that makes them (RULES 1)."""

from __future__ import annotations

from pipeline.model.evidence import SessionClose
from pipeline.model.instants import BASE_SLOT_MS, MINUTE_MS
from pipeline.rules.evidence.merge import UsageFold, fold, slots_of
from pipeline.rules.evidence.sessions import sessions
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant

MIDNIGHT = instant("2022-05-04 00:00")


def test_a_heartbeat_over_midnight_makes_two_session_days_with_the_same_opening_and_end() -> None:
    before, after = fold([heartbeat(MIDNIGHT - 15 * MINUTE_MS, MIDNIGHT + 5 * MINUTE_MS)])
    assert (after.day - before.day, before.opened_at, before.last_at) == (1, after.opened_at, after.last_at)
    assert ([*slots_of(before.used_slots)], [*slots_of(after.used_slots)]) == ([142, 143], [0])
    assert (before.stretches, after.stretches) == ({}, {before.opened_at: before.last_at})


def test_a_close_at_midnight_makes_no_use_on_the_next_day() -> None:
    (day,) = fold([heartbeat(MIDNIGHT - 15 * MINUTE_MS, MIDNIGHT, state="close")])
    assert ([*slots_of(day.used_slots)], day.last_at) == ([142, 143], MIDNIGHT)


def test_a_heartbeat_over_several_days_uses_every_slot_of_the_days_between() -> None:
    days = fold([heartbeat(MIDNIGHT - MINUTE_MS, MIDNIGHT + 3 * 24 * 60 * MINUTE_MS)])
    assert [day.used_slots.bit_count() for day in days] == [1, 144, 144, 144, 1]


def test_a_bare_close_is_recorded_and_makes_no_session_day() -> None:
    usage = UsageFold()
    usage.add(heartbeat(MIDNIGHT, MIDNIGHT + MINUTE_MS, since=MIDNIGHT + MINUTE_MS, state="close"), 0)
    (close,) = usage.closes()
    assert isinstance(close, SessionClose)
    assert (close.closed_at, list(usage.session_days()), len(usage)) == (MIDNIGHT + MINUTE_MS, [], 1)


def test_versions_and_times_of_receipt_are_merged_by_their_extremes() -> None:
    usage = UsageFold()
    for version, received_at in (("10.1", 50), ("9.2", 10), ("10.0", 90)):
        usage.add(heartbeat(MIDNIGHT, MIDNIGHT + 1, version=version), received_at)
    (day,) = usage.session_days()
    assert (day.version, day.received_min_at, day.received_max_at) == ("9.2", 10, 90)


def test_returned_session_days_do_not_change_with_later_folds() -> None:
    usage = UsageFold()
    usage.add(heartbeat(MIDNIGHT, MIDNIGHT + MINUTE_MS), 0)
    (before,) = usage.session_days()
    usage.add(heartbeat(MIDNIGHT, MIDNIGHT + 2 * MINUTE_MS), 0)
    assert before.stretches == {MIDNIGHT: MIDNIGHT + MINUTE_MS}


def test_the_days_of_a_session_are_combined_in_any_order() -> None:
    days = fold(beating(heartbeat(MIDNIGHT - 15 * MINUTE_MS, MIDNIGHT + 15 * MINUTE_MS)))
    (session,) = sessions([*reversed(days), *days])
    assert (session.opened_at, session.last_at) == (MIDNIGHT - 15 * MINUTE_MS, MIDNIGHT + 15 * MINUTE_MS)
    assert [*session.used_at()] == [MIDNIGHT + slot * BASE_SLOT_MS for slot in (-2, -1, 0, 1)]
    assert session.stretches == {session.opened_at: session.last_at}


def test_sessions_differ_in_any_part_of_their_key() -> None:
    original = heartbeat(MIDNIGHT, MIDNIGHT + 1)
    others = [
        original._replace(account="other"),
        original._replace(product="other"),
        original._replace(country="other"),
        original._replace(usage="trial"),
        original._replace(machine="other"),
        original._replace(user="other"),
        original._replace(session="other"),
    ]
    assert len(sessions(fold([original, original, *others]))) == 8
    assert (
        len(sessions(fold([original, original._replace(version="other", platform="other", host_session="other")]))) == 1
    )
