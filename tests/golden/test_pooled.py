"""The scenarios of ``pooled/*.txt``: however the evidence arrives, every count and every line is the table's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.quarter_counts import computed_statement
from pipeline.model.evidence import Heartbeat, SessionDay
from pipeline.model.instants import DAY_MS, Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.explain.slot_explanation import explain_slot
from pipeline.rules.live.seats_in_use import AccountSeats
from pipeline.rules.pool.counting import slot_counts
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.pool.term_licenses import pooled_lines
from pipeline.store import counts as store_counts
from pipeline.store.client import Client
from pipeline.store.facts import write_session_days
from tests.golden.tables import Counts, Scenario, cells, read_scenarios
from tests.support.evidence.evidence_shorthand import merged, ways

SCENARIOS = [one for path in sorted(Path(__file__).parent.glob("pooled/*.txt")) for one in read_scenarios(path)]

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])
each_quarter = pytest.mark.parametrize(
    ("scenario", "period"),
    [pytest.param(one, period, id=f"{one.name}, {period.name}") for one in SCENARIOS for period in one.periods],
)


def reading_of(scenario: Scenario) -> ContractReading:
    return ContractReading(scenario.contract, metering_catalogue())


def pure_counts(scenario: Scenario, days: list[SessionDay], period: Period) -> Counts:
    """What the rules count in a quarter."""
    judgements = reading_of(scenario).judgements_of(
        {(day.session.product, day.session.country) for day in days}, period
    )
    return slot_counts(sessions(days), judgements)


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


def handled(scenario: Scenario) -> Iterator[tuple[str, tuple[Heartbeat, ...], list[SessionDay]]]:
    for kind, told in (("told in few", scenario.told), ("told in many", scenario.beaten)):
        for way, days in ways(told):
            yield f"{kind}, {way}", told, days


@each_scenario
def test_the_same_evidence_gives_the_same_session_days_in_whatever_way_it_arrives(scenario: Scenario) -> None:
    for way, told, days in handled(scenario):
        assert merged(days) == fold(told), way


@each_quarter
def test_the_counts_are_the_tables_in_whatever_way_the_evidence_arrives(scenario: Scenario, period: Period) -> None:
    for way, _, days in handled(scenario):
        if period.name in scenario.refused:
            with pytest.raises(BeforeFirstRow) as refused:
                pure_counts(scenario, days, period)
            assert str(refused.value) == scenario.refused[period.name], way
        else:
            assert pure_counts(scenario, days, period) == expected_counts(scenario, period), way


@each_quarter
def test_the_store_counts_the_same(scenario: Scenario, period: Period, filled: Client) -> None:
    reading, account = reading_of(scenario), scenario.contract.account
    reported = store_counts.reported_codes(filled, account, period)
    if period.name in scenario.refused:
        with pytest.raises(BeforeFirstRow) as refused:
            reading.judgements_of(reported, period)
        assert str(refused.value) == scenario.refused[period.name]
        return
    judgements = reading.judgements_of(reported, period)
    counted = store_counts.slot_counts(filled, account, period, [one for found in judgements.values() for one in found])
    assert counted == expected_counts(scenario, period)


@each_quarter
def test_the_lines_are_the_tables_from_the_rules_and_from_the_store(
    scenario: Scenario, period: Period, filled: Client
) -> None:
    if period.name in scenario.refused:
        return
    reading, currency = reading_of(scenario), scenario.contract.currency
    lines = pooled_lines(reading, period, pure_counts(scenario, fold(scenario.beaten), period))
    statement = computed_statement(AccountView.of(filled, reading), period)
    assert statement.lines == lines
    if period.name in scenario.lines:
        expected = scenario.lines[period.name]
        assert [cells(line, currency, columns) for line, columns in zip(lines, expected, strict=True)] == [*expected]
    assert statement.total == sum(line.amount or 0 for line in lines)


@each_scenario
def test_live_seats_are_the_tables_on_the_days_they_keep(scenario: Scenario) -> None:
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
    found = sessions(fold(scenario.beaten))
    for (product, country), slots in scenario.counts.items():
        for slot_at, count in [*slots.items()][:20]:
            explained = explain_slot(reading_of(scenario), product, country, slot_at, found)
            assert (explained.slot_at, explained.count) == (slot_at, count)
