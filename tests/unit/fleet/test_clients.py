"""What the clients of a fleet send (INTERFACES, Heartbeat), and when its users work."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from itertools import islice, pairwise

import orjson
import pytest

from pipeline.codec.topics.heartbeats import decode
from pipeline.fleet.clients import FleetPlan, FleetProduct, PlannedSession, demo_plan, fleet, planned_sessions
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS, MINUTE_MS, calendar_day

pytestmark = pytest.mark.slow

SMALL = FleetPlan(products=(FleetProduct("MSTN", 5), FleetProduct("ORD", 2)), machines=12, seed=7, trials=0.05)


def heartbeats_by_session(plan: FleetPlan) -> dict[str, list[Heartbeat]]:
    """The valid heartbeats of each session, in the order sent."""
    sessions = defaultdict(list)
    for line in fleet(plan):
        decoded = decode(line)
        assert not decoded.invalid, decoded.invalid
        for heartbeat in decoded.heartbeats:
            sessions[heartbeat.session].append(heartbeat)
    return sessions


def days_worked(period: str) -> set[date]:
    return {calendar_day(session.opened_at // DAY_MS) for session in planned_sessions(replace(SMALL, period=period))}


def test_the_same_plan_gives_the_same_bytes_under_any_hash_seed() -> None:
    program = (
        "import hashlib; from pipeline.fleet.clients import demo_plan, fleet;"
        "print(hashlib.sha256(b'\\n'.join(fleet(demo_plan()))).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert list(fleet(SMALL)) == list(fleet(SMALL))


def test_another_seed_gives_another_fleet() -> None:
    assert set(fleet(SMALL)).isdisjoint(fleet(replace(SMALL, seed=8)))


def test_a_fleet_does_not_use_the_global_random_generator() -> None:
    before = random.getstate()
    lines = list(fleet(SMALL))
    assert random.getstate() == before
    random.seed(99)
    assert list(fleet(SMALL)) == lines


def test_heartbeats_come_in_order_of_event_time() -> None:
    times = [orjson.loads(line)["at"] for line in fleet(SMALL)]
    assert times == sorted(times)


def test_every_heartbeat_is_valid() -> None:
    for line in fleet(SMALL):
        beat = orjson.loads(line)
        assert beat["opened_at"] <= beat["since"] <= beat["at"], line
        assert beat["opened_at"] <= beat["resumed_at"] <= beat["active_at"] <= beat["at"], line
        assert beat["v"] == 1
        assert beat["account"] == "studio"
        assert beat["country"] == "CZ"
        assert beat["usage"] in {"production", "trial", "evaluation"}
        texts = [value for value in beat.values() if isinstance(value, str)]
        assert all(text.isprintable() and 1 <= len(text) <= 200 for text in texts), line
        assert b"\n" not in line


@pytest.mark.parametrize("beat_ms", [5 * MINUTE_MS, 15 * MINUTE_MS, 45 * MINUTE_MS])
def test_a_session_sends_open_beats_and_close_that_cover_the_time_awake(beat_ms: int) -> None:
    plan = replace(SMALL, beat_ms=beat_ms)
    sessions, planned = heartbeats_by_session(plan), {session.session: session for session in planned_sessions(plan)}
    assert sessions.keys() == planned.keys()
    for name, beats in sessions.items():
        assert [beat.state for beat in beats] == ["open", *["beat"] * (len(beats) - 2), "close"]
        assert {beat.opened_at for beat in beats} == {planned[name].opened_at}
        wakings = {woken_at for woken_at, _ in planned[name].awake}
        awake: list[list[int]] = []
        for beat in beats:
            if beat.at in wakings:
                assert beat.since == beat.at
                awake.append([beat.at, beat.at])
            assert beat.since == awake[-1][1], "evidence continues where it ended"
            assert beat.at - beat.since <= beat_ms
            awake[-1][1] = beat.at
        assert tuple((start, end) for start, end in awake) == planned[name].awake


def test_activity_is_reported_to_within_a_minute_and_never_goes_back() -> None:
    sessions, planned = heartbeats_by_session(SMALL), {session.session: session for session in planned_sessions(SMALL)}
    for name, beats in sessions.items():
        stretches: dict[int, int] = {}
        for beat in beats:
            assert beat.active_at >= stretches.get(beat.resumed_at, 0)
            stretches[beat.resumed_at] = beat.active_at
        assert tuple(stretches) == tuple(resumed_at for resumed_at, _ in planned[name].active)
        for resumed_at, idle_at in planned[name].active:
            assert idle_at - MINUTE_MS < stretches[resumed_at] <= idle_at


def test_a_working_users_last_operation_is_shortly_before_the_heartbeat() -> None:
    beats = [beat for session in heartbeats_by_session(SMALL).values() for beat in session if beat.state == "beat"]
    assert sum(0 < beat.at - beat.active_at < MINUTE_MS for beat in beats) > 0.8 * len(beats)


def test_session_ids_are_unique() -> None:
    names = [session.session for session in planned_sessions(demo_plan())]
    assert len(set(names)) == len(names)


def test_nobody_works_at_weekends_and_on_czech_holidays() -> None:
    spring, autumn = days_worked("2022Q2"), days_worked("2022Q4")
    assert all(day.weekday() < 5 for day in spring | autumn)
    assert {date(2022, 4, 14), date(2022, 4, 19)} <= spring, "the days around Easter"
    assert spring.isdisjoint({date(2022, 4, 15), date(2022, 4, 18)}), "Good Friday and Easter Monday"
    assert autumn.isdisjoint({date(2022, 10, 28), date(2022, 11, 17), date(2022, 12, 26)})
    assert date(2024, 3, 29) not in days_worked("2024Q1")
    assert {date(2025, 4, 18), date(2025, 4, 21)}.isdisjoint(days_worked("2025Q2"))


def test_ordinary_use_stays_within_the_quantity() -> None:
    machines = defaultdict(set)
    for session in planned_sessions(replace(SMALL, machines=80)):
        if session.usage == "production":
            machines[session.product, session.opened_at // DAY_MS].add(session.machine)
    most = Counter[str]()
    for (product, _), used in machines.items():
        most[product] = max(most[product], len(used))
    assert most == {"MSTN": 5, "ORD": 2}, "80 machines without a limit use more every day"


def test_without_a_quantity_every_machine_may_run_at_once() -> None:
    machines = defaultdict(set)
    for session in planned_sessions(FleetPlan(products=(FleetProduct("MSTN"),), machines=50)):
        machines[session.opened_at // DAY_MS].add(session.machine)
    assert max(len(used) for used in machines.values()) > 25


def test_a_machine_has_a_single_user_per_day() -> None:
    users = defaultdict(set)
    for session in planned_sessions(replace(SMALL, machines=200, products=(FleetProduct("MSTN"),))):
        users[session.machine, session.opened_at // DAY_MS].add(session.user)
    assert {len(sharing) for sharing in users.values()} == {1}
    desks = defaultdict(set)
    for (machine, _), (user,) in users.items():
        desks[user].add(machine)
    assert max(len(machines) for machines in desks.values()) > 1, "some users change desks"


def test_a_fleet_has_laptops_that_sleep_short_launches_and_two_products_at_once() -> None:
    sessions = planned_sessions(demo_plan())
    assert any(len(session.awake) > 1 for session in sessions)
    assert any(session.closed_at - session.opened_at < BASE_SLOT_MS for session in sessions)
    by_desk = defaultdict(list)
    for session in sessions:
        by_desk[session.machine].append(session)
    neighbours = [pair for desk in by_desk.values() for pair in pairwise(desk)]
    assert any(a.product != b.product and b.opened_at < a.closed_at for a, b in neighbours)


def test_trials_are_extra_sessions_that_are_not_production() -> None:
    usages = Counter(session.usage for session in planned_sessions(SMALL))
    assert 0 < usages["trial"] + usages["evaluation"] < usages["production"] / 5
    assert {session.usage for session in planned_sessions(replace(SMALL, trials=0.0))} == {"production"}


def test_a_scripted_session_replaces_its_users_own_and_takes_a_licence() -> None:
    member = next(session for session in planned_sessions(SMALL) if session.product == "ORD")
    opened_at = member.opened_at
    whole = ((opened_at, opened_at + 3 * DAY_MS),)
    script = PlannedSession("ORD", "1", member.machine, member.user, "script", whole, whole)
    sessions = planned_sessions(replace(SMALL, scripted=(script,), trials=0.0))
    days = range(opened_at // DAY_MS, (opened_at + 3 * DAY_MS) // DAY_MS + 1)
    for day in days:
        on_ord = [s for s in sessions if s.product == "ORD" and s.opened_at // DAY_MS == day and s != script]
        assert member.user not in {session.user for session in on_ord}
        assert len({session.machine for session in on_ord}) <= 1
    assert script in sessions


def test_a_large_fleet_streams_without_planning_its_whole_period() -> None:
    tally = Counter[str]()
    lines = fleet(FleetPlan(machines=3_000), tally)
    assert len(list(islice(lines, 10))) == 10
    assert tally["sessions"] < 100
    assert tally["heartbeats"] == 10


def test_the_tally_counts_what_was_sent() -> None:
    tally = Counter[str]()
    lines = list(fleet(SMALL, tally))
    assert tally == {"heartbeats": len(lines), "sessions": len(planned_sessions(SMALL))}
