"""The scenarios of ``tokens/*.txt``: windows, debits and refusals match the tables for any arrival of evidence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from pipeline.model.evidence import SessionDay
from pipeline.model.instants import DAY_MS
from pipeline.model.ledger_entries import Refusal
from pipeline.model.orders import Logged
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.balance import balances
from pipeline.rules.tokens.connections import causes, free_connections
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.flex_lines import debits, token_block
from pipeline.rules.tokens.forecast import forecast
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.settling_hold import HOLD_MS
from pipeline.rules.tokens.token_evidence import TokenEvidence
from tests.golden.token_tables import (
    Evidence,
    Scenario,
    debit_cells,
    free_cells,
    read_token_scenarios,
    refusal_cells,
    window_cells,
)
from tests.support.evidence.evidence_shorthand import ways

SCENARIOS = [
    scenario for path in sorted(Path(__file__).parent.glob("tokens/*.txt")) for scenario in read_token_scenarios(path)
]
LAST_AT = 4_000_000_000_000

PLAYED: dict[str, tuple[tuple[str, Played], ...]] = {}

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])


class Played:
    """A scenario played on a ledger; with ``stopping`` it is stopped after every single entry and started again."""

    def __init__(self, scenario: Scenario, *, stopping: bool = False) -> None:
        self.scenario, self.ledger = scenario, Ledger(scenario.contract.account)
        self.reading = TokenReading(
            ContractReading(scenario.contract, metering_catalogue()), token_catalogue(), scenario.seats
        )
        self.evidence, self.days, self.heard = TokenEvidence(self.reading), list[SessionDay](), list[Logged]()
        self._stopping = stopping

    def hear(self, days: list[SessionDay]) -> None:
        self.days += days
        for day in days:
            self.evidence.merge(day)

    def order(self, logged: Logged) -> None:
        self.heard.append(logged)
        self.post(self.heard[-1:], now=logged.received_at)

    def end(self) -> None:
        """The end of the input: all evidence is complete."""
        last_at = max((day.last_at for day in self.days), default=0)
        self.post([], now=LAST_AT, hold_ms=0, complete_until=last_at)

    def post(self, orders: list[Logged], *, now: int, hold_ms: int = HOLD_MS, complete_until: int | None = None) -> int:
        """Post what is due; the number of entries."""
        posted = 0
        while True:
            entries = draft(
                self.ledger, self.scenario.contract, self.evidence, orders,
                now=now, hold_ms=hold_ms, complete_until=complete_until,
            )  # fmt: skip
            for posting in postings(self.ledger, entries, 1)[:1] if self._stopping else postings(self.ledger, entries):
                assert self.ledger.append(posting)
                self.evidence.posted(posting)
            posted += len(entries)
            if not self._stopping or not entries:
                return posted
            self.evidence.touch()


def plays(scenario: Scenario) -> tuple[tuple[str, Played], ...]:
    """The scenario with its evidence in every order and grouping that must not matter."""
    if scenario.name not in PLAYED:
        PLAYED[scenario.name] = tuple(_plays(scenario))
    return PLAYED[scenario.name]


def _plays(scenario: Scenario) -> Iterator[tuple[str, Played]]:
    kinds = ("heartbeats", "beats")
    for kind, way in product(kinds, [name for name, _ in ways([])]):
        played = Played(scenario)
        for step in scenario.steps:
            if isinstance(step, Evidence):
                played.hear(dict(ways(getattr(step, kind)))[way])
            else:
                played.order(step)
        if not scenario.has_ticks:
            played.end()
        yield f"{kind}, {way}", played


@each_scenario
def test_settled_and_open_windows_match_the_tables_for_any_arrival_of_evidence(scenario: Scenario) -> None:
    for way, played in plays(scenario):
        settled = sorted(
            (debit for _, debit in debits(played.ledger)), key=lambda debit: (debit.window.start_at, debit.window)
        )
        expected = scenario.expected["windows"]
        columns = expected[0] if expected else {}
        assert [debit_cells(debit, columns) for debit in settled] == [*expected], way
        if "open" in scenario.expected:
            by_pool = played.evidence.open_windows(played.ledger).values()
            open_ = sorted(
                (window for windows in by_pool for window in windows), key=lambda window: (window.start_at, window)
            )
            expected = scenario.expected["open"]
            assert [window_cells(window, (expected or [{}])[0]) for window in open_] == [*expected], way


@each_scenario
def test_refused_orders_and_the_token_block_match_the_tables(scenario: Scenario) -> None:
    for way, played in plays(scenario):
        refused = [entry.fact for entry in played.ledger.entries.values() if isinstance(entry.fact, Refusal)]
        expected = scenario.expected.get("refused", ())
        assert [refusal_cells(refusal, (expected or [{}])[0]) for refusal in refused] == [*expected], way
        for at, expected_words in scenario.blocks.items():
            block = token_block(played.ledger, at)
            words = f"granted {block.granted} debited {block.debited} expired {block.expired} balance {block.balance}"
            assert words == expected_words, way


@each_scenario
def test_every_reader_of_the_ledger_has_the_same_figures(scenario: Scenario) -> None:
    for way, played in plays(scenario):
        ledger, settled_at = played.ledger, played.ledger.settled_until_at
        shown = {balance.team: balance.settled for balance in balances(ledger, (), settled_at)}
        assert {name: shown[name] for name in ledger.teams} == ledger.teams, (
            f"{way}: what has expired by then is posted"
        )
        waiting = [window for windows in played.evidence.open_windows(ledger).values() for window in windows]
        entries_end_at = max((entry.at for entry in ledger.entries.values()), default=0) + 1
        for at in (entries_end_at, entries_end_at + 400 * DAY_MS):
            figures = [balance.settled for balance in balances(ledger, (), at)]
            block, outlook = token_block(ledger, at), forecast(ledger, at)
            for name in ("granted", "debited", "expired", "balance"):
                assert sum(getattr(team, name) for team in figures) == getattr(block, name), (way, name)
            assert sum(team.balance for team in outlook) == block.balance, way
            for planned in balances(ledger, waiting, at):
                assert planned.available == sum(pack.left for pack in planned.packs) - planned.reserved >= 0, way
                team = planned.settled
                assert team.granted == team.balance + team.debited + team.expired, way


@each_scenario
def test_free_connections_match_the_tables(scenario: Scenario) -> None:
    if "free" not in scenario.expected:
        return
    for way, played in plays(scenario):
        windows = [debit.window for _, debit in debits(played.ledger)]
        free = free_connections(sessions(played.days), windows, played.reading)
        expected = scenario.expected["free"]
        assert [free_cells(free_use, (expected or [{}])[0]) for free_use in free] == [*expected], way


@each_scenario
def test_every_window_is_explained_by_the_sessions_that_caused_it(scenario: Scenario) -> None:
    for way, played in plays(scenario):
        all_sessions = sessions(played.days)
        for _, debit in debits(played.ledger):
            assert causes(debit.window, all_sessions, played.reading), way


@each_scenario
def test_repeating_everything_posts_nothing_new(scenario: Scenario) -> None:
    for way, played in plays(scenario):
        played.evidence.touch()
        ticked_until_at = played.ledger.settled_until_at
        again = played.post(played.heard, now=0, hold_ms=0 if not scenario.has_ticks else HOLD_MS)
        assert again == 0, way
        assert played.ledger.settled_until_at == ticked_until_at


@each_scenario
def test_stopping_after_any_entry_leads_to_the_same_entries(scenario: Scenario) -> None:
    whole, cut = Played(scenario), Played(scenario, stopping=True)
    for played in (whole, cut):
        for step in scenario.steps:
            if isinstance(step, Evidence):
                played.hear(fold(step.heartbeats))
            else:
                played.order(step)
        if not scenario.has_ticks:
            played.end()
    assert [*cut.ledger.entries.values()] == [*whole.ledger.entries.values()]
