"""The scenarios of ``people/*.txt``: lines, counts and refusals match the tables for any arrival of evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.explain.explained_slot import explain_slot_at
from pipeline.application.quarter.quarter_counts import quarter_lines
from pipeline.application.quarter.seat_steps import judgements_of, seat_steps
from pipeline.model.evidence import SessionDay
from pipeline.model.instants import Period
from pipeline.model.statements import PooledLine, SeatLine
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.people.coverage import Covered
from pipeline.rules.people.holders import people_of
from pipeline.rules.people.named_seats import named_coverage
from pipeline.rules.people.waterfall import uncovered, units_by_slot
from pipeline.rules.statement import recount
from pipeline.store.client import Client
from pipeline.store.counting.uncovered_counts import uncovered_counts
from tests.golden.tables import Counts, Scenario, cells, read_scenarios, refusal
from tests.support.evidence.evidence_shorthand import ways
from tests.support.evidence.random_fleets import reading_of
from tests.support.store.written_facts import write_session_days

SCENARIOS = [
    scenario for path in sorted(Path(__file__).parent.glob("people/*.txt")) for scenario in read_scenarios(path)
]

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
each_quarter = pytest.mark.parametrize(
    ("scenario", "period"),
    [
        pytest.param(scenario, period, id=f"{scenario.name}, {period.name}")
        for scenario in SCENARIOS
        for period in scenario.periods
    ],
)


def handled(scenario: Scenario) -> Iterator[tuple[str, list[SessionDay]]]:
    for kind, heartbeats in (("few heartbeats", scenario.heartbeats), ("many heartbeats", scenario.beats)):
        for way, days in ways(heartbeats):
            yield f"{kind}, {way}", days


def pure_lines(scenario: Scenario, days: list[SessionDay], period: Period) -> tuple[PooledLine | SeatLine, ...]:
    """The lines of a quarter by the rules."""
    people = people_of(scenario.contract, scenario.commands)
    return recount.lines(reading_of(scenario.contract), people, period, sessions(days))


def pool_counts(scenario: Scenario, days: list[SessionDay], period: Period) -> Counts:
    """The counts of the pools in a quarter after seats of people."""
    reading, people = reading_of(scenario.contract), people_of(scenario.contract, scenario.commands)
    used = recount.uses(reading, people, period, sessions(days))
    held, named = recount.seats(reading, people, period, used)
    return units_by_slot(uncovered(used, Covered([*held, *named_coverage(named, period)])))


def expected_counts(scenario: Scenario, period: Period) -> Counts:
    """The counts of a quarter by the table."""
    inside = {
        pool: {at: count for at, count in slots.items() if period.contains(at)}
        for pool, slots in scenario.counts.items()
    }
    return {pool: slots for pool, slots in inside.items() if slots}


@pytest.fixture(scope="module")
def filled(store: Client) -> Client:
    """The store with the evidence of every scenario, in three parts in an odd order, the first of them twice."""
    beats = [beat for scenario in SCENARIOS for beat in scenario.beats]
    parts = [fold(beats[part::3]) for part in range(3)]
    for part in (2, 0, 1, 0):
        write_session_days(store, reversed(parts[part]))
    return store


@each_quarter
def test_the_store_has_the_same_lines_and_counts(scenario: Scenario, period: Period, filled: Client) -> None:
    reading, days = reading_of(scenario.contract), fold(scenario.beats)
    view = AccountView.of(filled, reading).after(scenario.commands)
    assert quarter_lines(view, period) == pure_lines(scenario, days, period)
    judgements, seats = judgements_of(view, period), seat_steps(view, period)
    account = scenario.contract.account
    counts = uncovered_counts(filled, account, period, judgements, seats.coverage, seats.offline)
    assert counts == pool_counts(scenario, days, period)


@each_scenario
def test_every_count_is_explained_by_as_many_units(scenario: Scenario, filled: Client) -> None:
    for (product, country), slots in scenario.counts.items():
        for slot_at, count in [*slots.items()][:12]:
            view = AccountView.of(filled, reading_of(scenario.contract)).after(scenario.commands)
            explained = explain_slot_at(view, product, country, slot_at)
            assert (explained.slot_at, explained.count) == (slot_at, count)


@each_quarter
def test_lines_match_the_tables_for_any_arrival_of_evidence(scenario: Scenario, period: Period) -> None:
    if period.name not in scenario.lines:
        return
    expected = scenario.lines[period.name]
    columns = expected[0]
    for way, days in handled(scenario):
        lines = pure_lines(scenario, days, period)
        assert [cells(line, scenario.contract.currency, columns) for line in lines] == [*expected], way


@each_quarter
def test_pool_counts_match_the_tables(scenario: Scenario, period: Period) -> None:
    if scenario.tells_counts:
        for way, days in handled(scenario):
            assert pool_counts(scenario, days, period) == expected_counts(scenario, period), way


@each_scenario
def test_refusals_match_the_tables(scenario: Scenario) -> None:
    refused = people_of(scenario.contract, scenario.commands).refused
    assert [refusal(scenario.contract, refused_order) for refused_order in refused] == [*scenario.refusals]
