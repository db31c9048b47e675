"""Minimum use: a session counts only once it has lasted long enough (RULES 3.1)."""

from __future__ import annotations

import pytest

from pipeline.model.instants import MINUTE_MS, SECOND_MS
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.pool.counting import judge_slot
from pipeline.rules.pool.min_use import is_recorded, recorded_from
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant

NOON = instant("2022-05-03 12:00")
BEFORE_MIDNIGHT = instant("2022-06-30 23:55")


def policy(year: int = 2022, name: str = "bentley-select") -> MeteringPolicy:
    return metering_catalogue()[name].at(instant(f"{year}-05-03 00:00"))


def session_of(opened_at: int, last_at: int) -> Session:
    (session,) = sessions(fold(beating(heartbeat(opened_at, last_at))))
    return session


@pytest.mark.parametrize(
    ("length_ms", "expected"),
    [
        (10 * MINUTE_MS, True),
        (10 * MINUTE_MS - 1, False),
        (3 * MINUTE_MS, False),
        (9 * MINUTE_MS + 59 * SECOND_MS, False),
        (60 * MINUTE_MS, True),
    ],
)
def test_a_session_of_exactly_ten_minutes_counts_and_a_shorter_one_does_not(length_ms: int, expected: bool) -> None:
    assert is_recorded(session_of(NOON + MINUTE_MS, NOON + MINUTE_MS + length_ms), policy()) is expected


def test_the_minimum_is_that_of_the_policy_of_the_slot() -> None:
    short = session_of(NOON, NOON + MINUTE_MS)
    assert is_recorded(short, policy(2015))
    assert not is_recorded(short, policy(2022))


def test_a_session_over_midnight_and_a_quarters_end_is_judged_as_a_whole() -> None:
    session = session_of(BEFORE_MIDNIGHT, BEFORE_MIDNIGHT + 10 * MINUTE_MS)
    assert len(session.used_slots) == 2
    assert is_recorded(session, policy())


def test_a_session_below_the_minimum_counts_in_no_slot() -> None:
    session = session_of(NOON + 9 * MINUTE_MS, NOON + 12 * MINUTE_MS)
    assert [judge_slot(session, slot_at, policy()) for slot_at in session.used_at()] == ["under_min_use"] * 2


def test_a_continuing_session_counts_after_the_minimum() -> None:
    assert recorded_from(session_of(NOON, NOON), policy()) == NOON + 10 * MINUTE_MS
    assert recorded_from(session_of(NOON, NOON), policy(2015)) == NOON
