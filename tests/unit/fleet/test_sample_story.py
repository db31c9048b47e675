"""The sample fleet contains the planned events and no others, by an independent count."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import orjson
import pytest

from pipeline.fleet.clients import FleetPlan, StoryEvent, demo_plan, demo_story, fleet, planned_sessions
from pipeline.model.instants import DAY_MS, HOUR_MS, iso

pytestmark = pytest.mark.slow

SLOT_MS = 600_000
STORY = demo_story()
ENTITLED = {"MSTN": 20, "ORD": 6, "STAAD": 4, "PLAX": 10}

Counts = dict[str, dict[int, int]]


def count(lines: list[bytes]) -> Counts:
    """Distinct machines by product and start of slot under the ten-minute policy (RULES 1, 3), unoptimised."""
    sessions = defaultdict(list)
    for line in lines:
        beat = orjson.loads(line)
        if beat["usage"] == "production" and beat["product"] in ENTITLED:
            sessions[beat["product"], beat["machine"], beat["session"]].append(beat)
    machines = defaultdict(set)
    for (product, machine, _), beats in sessions.items():
        opened_at = min(beat["opened_at"] for beat in beats)
        if max(beat["at"] for beat in beats) - opened_at < 10 * 60_000:
            continue
        for beat in beats:
            last = beat["at"] - (1 if beat["state"] == "close" else 0)
            for slot in range(beat["since"] // SLOT_MS, last // SLOT_MS + 1):
                if slot != opened_at // SLOT_MS:
                    machines[product, slot * SLOT_MS].add(machine)
    counts: Counts = {product: {} for product in ENTITLED}
    for (product, slot_at), used in machines.items():
        counts[product][slot_at] = len(used)
    return counts


def peak(counts: Counts, product: str) -> tuple[int, list[int]]:
    highest = max(counts[product].values())
    return highest, sorted(slot_at for slot_at, used in counts[product].items() if used == highest)


@pytest.fixture(scope="module")
def counts() -> Counts:
    return count(list(fleet(demo_plan())))


def test_on_the_deadline_afternoon_mstn_peaks_at_23_of_20(counts: Counts) -> None:
    highest, slots = peak(counts, "MSTN")
    assert highest == STORY.deadline.peak == 23
    assert [iso(slot_at) for slot_at in slots] == ["2022-05-17T14:20:00Z", "2022-05-17T14:30:00Z"]
    assert tuple(slots) == STORY.deadline.peak_slots


def test_an_accidental_launch_makes_staad_peak_at_5_of_4_for_a_slot(counts: Counts) -> None:
    highest, slots = peak(counts, "STAAD")
    assert highest == STORY.accidental.peak == 5
    assert [iso(slot_at) for slot_at in slots] == ["2022-04-26T09:40:00Z"]
    assert tuple(slots) == STORY.accidental.peak_slots
    (launch,) = STORY.accidental.sessions
    assert 10 * 60_000 <= launch.closed_at - launch.opened_at < 15 * 60_000


def test_ord_and_plax_stay_within_their_licences(counts: Counts) -> None:
    assert peak(counts, "ORD")[0] <= 6
    assert peak(counts, "PLAX")[0] <= 10


@pytest.mark.parametrize("event", [STORY.deadline, STORY.accidental], ids=lambda event: event.title)
def test_only_the_planned_events_exceed_the_licences(counts: Counts, event: StoryEvent) -> None:
    over = sorted(slot_at for slot_at, used in counts[event.product].items() if used > ENTITLED[event.product])
    assert tuple(over) == event.over_slots
    assert event.entitled == ENTITLED[event.product]
    assert event.term_licenses == event.peak - event.entitled
    assert len({slot_at // DAY_MS for slot_at in over}) == 1


def test_the_forgotten_session_runs_over_the_weekend_without_an_operation(counts: Counts) -> None:
    (session,) = STORY.forgotten.sessions
    beats = [beat for line in fleet(demo_plan()) if (beat := orjson.loads(line))["session"] == session.session]
    assert iso(beats[0]["opened_at"])[:10] == "2022-06-10", "a Friday"
    assert iso(beats[-1]["at"])[:10] == "2022-06-13", "the Monday after"
    assert beats[-1]["state"] == "close"
    assert {iso(max(beat["active_at"] for beat in beats))} == {"2022-06-10T13:41:50Z"}
    saturday_at = beats[0]["opened_at"] // DAY_MS * DAY_MS + DAY_MS
    weekend = range(saturday_at, saturday_at + 2 * DAY_MS, SLOT_MS)
    assert {counts["ORD"].get(slot_at) for slot_at in weekend} == {1}, "the only use, in every slot"


def test_the_one_trial_of_the_quarter_counts_nowhere(counts: Counts) -> None:
    tried = [session for session in planned_sessions(demo_plan()) if session.usage != "production"]
    assert tuple(tried) == STORY.trial.sessions
    lines = list(fleet(demo_plan()))
    assert count([line for line in lines if b'"story-trial"' not in line]) == counts
    assert count([line.replace(b'"usage":"trial"', b'"usage":"production"') for line in lines]) != counts


def test_users_of_the_planned_events_are_from_another_team() -> None:
    sessions = planned_sessions(demo_plan())
    for event in (STORY.deadline, STORY.accidental, STORY.trial):
        names = {session.session for session in event.sessions}
        for user in {session.user for session in event.sessions}:
            used = {session.product for session in sessions if session.user == user and session.session not in names}
            assert used
            assert event.product not in used


@pytest.mark.parametrize("seed", [1, 7, 99])
def test_the_story_does_not_depend_on_the_seed_of_ordinary_days(seed: int) -> None:
    counts = count(list(fleet(replace(demo_plan(), seed=seed))))
    assert peak(counts, "MSTN") == (23, list(STORY.deadline.peak_slots))
    assert peak(counts, "STAAD") == (5, list(STORY.accidental.peak_slots))
    for product, entitled in ENTITLED.items():
        over = [slot_at for slot_at, used in counts[product].items() if used > entitled]
        assert len(over) == {"MSTN": 5, "STAAD": 1}.get(product, 0)


def test_faults_do_not_change_the_story(counts: Counts) -> None:
    plan = replace(demo_plan(), duplicates=0.05, disorder=0.2, late=0.05)
    assert count(list(fleet(plan))) == counts


def test_the_sample_fleet_is_a_quarter_of_sixty_machines_and_small() -> None:
    plan: FleetPlan = demo_plan()
    sessions = planned_sessions(plan)
    assert (plan.account, plan.country, plan.period, plan.machines) == ("studio", "CZ", "2022Q2", 60)
    assert len({session.machine for session in sessions}) == 60
    assert sum(1 for _ in fleet(plan)) <= 150_000
    assert max(session.closed_at - session.opened_at for session in sessions) > 60 * HOUR_MS
