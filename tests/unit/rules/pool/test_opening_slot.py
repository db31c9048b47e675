"""The opening slot: where the policy says so, the slot of a session's opening never counts (RULES 3.2)."""

from __future__ import annotations

import pytest

from pipeline.model.instants import MINUTE_MS
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.pool.counting import counted_slots, judge_slot
from pipeline.rules.pool.opening_slot import first_countable_slot_at, left_out_slot_at
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant

THREE = instant("2022-05-03 15:00")


def policy(name: str = "bentley-select", year: int = 2022) -> MeteringPolicy:
    return metering_catalogue()[name].at(instant(f"{year}-05-03 00:00"))


def session_of(opened: int, last: int, state: str = "beat") -> Session:
    """A session from ``opened`` to ``last`` minutes after three."""
    whole = heartbeat(THREE + opened * MINUTE_MS, THREE + last * MINUTE_MS, state=state)
    (session,) = sessions(fold(beating(whole)))
    return session


def counted_minutes(session: Session, by: MeteringPolicy) -> list[int]:
    slots = counted_slots(session, by, THREE - 60 * MINUTE_MS, THREE + 180 * MINUTE_MS)
    return [(slot_at - THREE) // MINUTE_MS for slot_at in slots]


@pytest.mark.parametrize(
    ("opened", "last", "counted"),
    [(1, 42, [10, 20, 30, 40]), (1, 11, [10]), (0, 25, [10, 20]), (9, 19, [10]), (10, 20, [20])],
)
def test_counting_begins_in_the_second_slot_of_use(opened: int, last: int, counted: list[int]) -> None:
    assert counted_minutes(session_of(opened, last), policy()) == counted


def test_a_completely_used_opening_slot_does_not_count() -> None:
    session = session_of(0, 10, "close")
    assert counted_minutes(session, policy()) == []
    assert judge_slot(session, THREE, policy()) == "opening_slot"


@pytest.mark.parametrize("name", ["bentley-e365", "bentley-select-deployed"])
def test_a_policy_may_count_the_opening_slot(name: str) -> None:
    assert left_out_slot_at(session_of(1, 42), policy(name)) is None
    assert counted_minutes(session_of(1, 42), policy(name))[0] == 0


def test_the_opening_slot_has_the_length_of_the_policys_slots() -> None:
    session = session_of(61, 130)
    assert first_countable_slot_at(session, policy()) == THREE + 70 * MINUTE_MS
    assert first_countable_slot_at(session, policy(year=2015)) == THREE + 60 * MINUTE_MS
    assert left_out_slot_at(session, policy()) == THREE + 60 * MINUTE_MS
