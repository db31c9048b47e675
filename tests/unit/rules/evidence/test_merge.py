"""Merge: heartbeats become session days by minimum, maximum and union (RULES 1)."""

from __future__ import annotations

from dataclasses import replace

from pipeline.model.evidence import SessionClose
from pipeline.model.instants import MINUTE_MS
from pipeline.rules.evidence.merge import UsageFold, fold, merge_without_stretches, slots_of
from tests.support.evidence.evidence_shorthand import heartbeat, instant

MIDNIGHT = instant("2022-05-04 00:00")
NOON = instant("2022-05-04 12:00")


def test_a_session_day_is_the_smallest_opening_the_largest_end_and_every_used_slot() -> None:
    (day,) = fold(
        [
            heartbeat(NOON + MINUTE_MS, NOON + 15 * MINUTE_MS, since=NOON + 14 * MINUTE_MS),
            heartbeat(NOON, NOON + 5 * MINUTE_MS),
            heartbeat(NOON + 2 * MINUTE_MS, NOON + 45 * MINUTE_MS, since=NOON + 44 * MINUTE_MS),
        ]
    )
    assert (day.opened_at, day.last_at) == (NOON, NOON + 45 * MINUTE_MS)
    assert [*slots_of(day.used_slots)] == [72, 73, 76]


def test_the_latest_operation_of_a_stretch_is_kept() -> None:
    (day,) = fold(
        [
            heartbeat(NOON, NOON + minutes * MINUTE_MS, resumed_at=NOON + resumed, active_at=NOON + active)
            for minutes, resumed, active in ((5, 0, 4), (6, 0, 9), (7, 0, 2), (8, 20, 21))
        ]
    )
    assert day.stretches == {NOON: NOON + 9, NOON + 20: NOON + 21}


def test_order_and_repetition_of_heartbeats_change_nothing() -> None:
    heartbeats = [heartbeat(NOON + at, NOON + at + MINUTE_MS, version=f"{at}") for at in (0, 900_000, 300_000)]
    assert fold([*reversed(heartbeats), *heartbeats]) == fold(heartbeats)


def test_two_facts_of_a_session_day_merge_like_their_heartbeats() -> None:
    early, late = heartbeat(NOON, NOON + MINUTE_MS, version="2"), heartbeat(NOON + 5, NOON + 900_000, version="10")
    first, second, both = UsageFold(), UsageFold(), UsageFold()
    first.add(early, 50)
    second.add(late, 10)
    both.add(early, 50)
    both.add(late, 10)
    (first_day,), (second_day,), (merged_day,) = (usage.session_days() for usage in (first, second, both))
    assert merge_without_stretches(first_day, second_day) == replace(merged_day, stretches={})
    assert merge_without_stretches(second_day, first_day) == replace(merged_day, stretches={})


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
