"""The scenarios of ``pooled/*.txt``: counts and lines match the tables for any arrival of evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.model.evidence import Heartbeat, SessionDay
from pipeline.model.instants import DAY_MS, Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.explain.slot_explanation import explain_slot
from pipeline.rules.live.seats_in_use import AccountSeats
from pipeline.rules.pool.counting import slot_counts
from pipeline.rules.pool.pooled_lines import pooled_lines
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.counting import counts as store_counts
from tests.golden.tables import Counts, Scenario, cells, read_scenarios
from tests.support.evidence.evidence_shorthand import merged, ways
from tests.support.store.written_facts import write_session_days

SCENARIOS = [
    scenario for path in sorted(Path(__file__).parent.glob("pooled/*.txt")) for scenario in read_scenarios(path)
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


def reading_of(scenario: Scenario) -> ContractReading:
    return ContractReading(scenario.contract, metering_catalogue())


def pure_counts(scenario: Scenario, days: list[SessionDay], period: Period) -> Counts:
    """The counts of a quarter by the rules."""
    judgements = reading_of(scenario).judgements_of(
        {(day.session.product, day.session.country) for day in days}, period
    )
    return slot_counts(sessions(days), judgements)


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


def handled(scenario: Scenario) -> Iterator[tuple[str, tuple[Heartbeat, ...], list[SessionDay]]]:
    for kind, heartbeats in (("few heartbeats", scenario.heartbeats), ("many heartbeats", scenario.beats)):
        for way, days in ways(heartbeats):
            yield f"{kind}, {way}", heartbeats, days


@each_scenario
def test_session_days_do_not_depend_on_the_arrival_of_evidence(scenario: Scenario) -> None:
    for way, heartbeats, days in handled(scenario):
        assert merged(days) == fold(heartbeats), way


@each_quarter
def test_counts_match_the_tables_for_any_arrival_of_evidence(scenario: Scenario, period: Period) -> None:
    for way, _, days in handled(scenario):
        if period.name in scenario.refused:
            with pytest.raises(BeforeFirstRow) as refused:
                pure_counts(scenario, days, period)
            assert str(refused.value) == scenario.refused[period.name], way
        else:
            assert pure_counts(scenario, days, period) == expected_counts(scenario, period), way


@each_quarter
def test_counts_from_the_store_are_the_same(scenario: Scenario, period: Period, filled: Client) -> None:
    reading, account = reading_of(scenario), scenario.contract.account
    reported = store_counts.reported_codes(filled, account, period)
    if period.name in scenario.refused:
        with pytest.raises(BeforeFirstRow) as refused:
            reading.judgements_of(reported, period)
        assert str(refused.value) == scenario.refused[period.name]
        return
    judgements = reading.judgements_of(reported, period)
    counted = store_counts.slot_counts(
        filled, account, period, [judgement for of_code in judgements.values() for judgement in of_code]
    )
    assert counted == expected_counts(scenario, period)


@each_quarter
def test_lines_from_the_rules_and_from_the_store_match_the_tables(
    scenario: Scenario, period: Period, filled: Client
) -> None:
    if period.name in scenario.refused:
        return
    reading, currency = reading_of(scenario), scenario.contract.currency
    lines = pooled_lines(reading, period, pure_counts(scenario, fold(scenario.beats), period))
    statement = computed_statement(AccountView.of(filled, reading), period)
    assert statement.lines == lines
    if period.name in scenario.lines:
        expected = scenario.lines[period.name]
        assert [cells(line, currency, columns) for line, columns in zip(lines, expected, strict=True)] == [*expected]
    assert statement.total == sum(line.amount or 0 for line in lines)


@each_scenario
def test_live_counts_match_the_tables_on_the_kept_days(scenario: Scenario) -> None:
    if scenario.refused:
        return
    for way, _, days in handled(scenario):
        seats = AccountSeats(reading_of(scenario))
        for day in days:
            seats.merge(day)
        seats.forget()
        live: Counts = {}
        for pool, slot_at, units in seats.counts():
            live.setdefault(pool, {})[slot_at] = units
        kept = {
            pool: {at: count for at, count in slots.items() if at >= seats.horizon_day * DAY_MS}
            for pool, slots in scenario.counts.items()
        }
        assert live == {pool: slots for pool, slots in kept.items() if slots}, way


@each_scenario
def test_every_count_is_explained_by_as_many_units(scenario: Scenario) -> None:
    used = sessions(fold(scenario.beats))
    for (product, country), slots in scenario.counts.items():
        for slot_at, count in [*slots.items()][:20]:
            explained = explain_slot(reading_of(scenario), product, country, slot_at, used)
            assert (explained.slot_at, explained.count) == (slot_at, count)
