"""The scenarios of ``people/*.txt``: however the evidence arrives, the lines, counts and refusals are the table's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.explained_slot import explain_slot_at
from pipeline.application.quarter_counts import quarter_lines
from pipeline.application.seat_steps import judgements_of, seat_steps
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
from pipeline.store.facts import write_session_days
from pipeline.store.uncovered_counts import uncovered_counts
from tests.golden.tables import Counts, Scenario, cells, read_scenarios, refusal
from tests.support.evidence.evidence_shorthand import ways
from tests.support.evidence.random_fleets import reading_of

SCENARIOS = [one for path in sorted(Path(__file__).parent.glob("people/*.txt")) for one in read_scenarios(path)]

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])
each_quarter = pytest.mark.parametrize(
    ("scenario", "period"),
    [pytest.param(one, period, id=f"{one.name}, {period.name}") for one in SCENARIOS for period in one.periods],
)


def handled(scenario: Scenario) -> Iterator[tuple[str, list[SessionDay]]]:
    for kind, told in (("told in few", scenario.told), ("told in many", scenario.beaten)):
        for way, days in ways(told):
            yield f"{kind}, {way}", days


def pure_lines(scenario: Scenario, days: list[SessionDay], period: Period) -> tuple[PooledLine | SeatLine, ...]:
    """What the rules say of a quarter."""
    people = people_of(scenario.contract, scenario.commands)
    return recount.lines(reading_of(scenario.contract), people, period, sessions(days))


def pool_counts(scenario: Scenario, days: list[SessionDay], period: Period) -> Counts:
    """What is left to the pool in a quarter."""
    reading, people = reading_of(scenario.contract), people_of(scenario.contract, scenario.commands)
    used = recount.uses(reading, people, period, sessions(days))
    held, named = recount.seats(reading, people, period, used)
    return units_by_slot(uncovered(used, Covered([*held, *named_coverage(named, period)])))


def expected_counts(scenario: Scenario, period: Period) -> Counts:
    """What the table says of a quarter."""
    inside = {
        pool: {at: count for at, count in slots.items() if period.contains(at)}
        for pool, slots in scenario.counts.items()
    }
    return {pool: slots for pool, slots in inside.items() if slots}


@pytest.fixture(scope="module")
def filled(store: Client) -> Client:
    """The store with the evidence of every scenario, in three parts in an odd order, the first of them twice."""
    beaten = [one for scenario in SCENARIOS for one in scenario.beaten]
    parts = [fold(beaten[part::3]) for part in range(3)]
    for part in (2, 0, 1, 0):
        write_session_days(store, reversed(parts[part]))
    return store


@each_quarter
def test_the_store_has_the_same_lines_and_counts(scenario: Scenario, period: Period, filled: Client) -> None:
    reading, days = reading_of(scenario.contract), fold(scenario.beaten)
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
def test_the_lines_are_the_tables_in_whatever_way_the_evidence_arrives(scenario: Scenario, period: Period) -> None:
    if period.name not in scenario.lines:
        return
    expected = scenario.lines[period.name]
    columns = expected[0]
    for way, days in handled(scenario):
        lines = pure_lines(scenario, days, period)
        assert [cells(line, scenario.contract.currency, columns) for line in lines] == [*expected], way


@each_quarter
def test_what_is_left_to_the_pool_is_the_tables(scenario: Scenario, period: Period) -> None:
    if scenario.tells_counts:
        for way, days in handled(scenario):
            assert pool_counts(scenario, days, period) == expected_counts(scenario, period), way


@each_scenario
def test_what_is_refused_is_the_tables(scenario: Scenario) -> None:
    refused = people_of(scenario.contract, scenario.commands).refused
    assert [refusal(scenario.contract, one) for one in refused] == [*scenario.refusals]
