"""The scenarios of ``tokens/*.txt``: however evidence arrives, windows, debits and refusals are the table's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from pipeline.model.evidence import SessionDay
from pipeline.model.ledger_entries import Refusal
from pipeline.model.orders import Logged
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.connections import causes, free_connections
from pipeline.rules.tokens.drafts import HOLD_MS, draft, postings
from pipeline.rules.tokens.flex_lines import debits, token_block
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
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

SCENARIOS = [one for path in sorted(Path(__file__).parent.glob("tokens/*.txt")) for one in read_token_scenarios(path)]
LAST_AT = 4_000_000_000_000

PLAYED: dict[str, tuple[tuple[str, Played], ...]] = {}

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])


class Played:
    """A scenario played on a ledger; ``stopping`` has it stopped after every single entry, to begin anew."""

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
        """The end of the input: everything is complete."""
        last_at = max((day.last_at for day in self.days), default=0)
        self.post([], now=LAST_AT, hold_ms=0, complete_until=last_at)

    def post(self, orders: list[Logged], *, now: int, hold_ms: int = HOLD_MS, complete_until: int | None = None) -> int:
        """Post what is to be posted; how many entries that were."""
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
    """The scenario with its evidence handled in every way that must not matter."""
    if scenario.name not in PLAYED:
        PLAYED[scenario.name] = tuple(_plays(scenario))
    return PLAYED[scenario.name]


def _plays(scenario: Scenario) -> Iterator[tuple[str, Played]]:
    kinds = ("told", "beaten")
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
def test_settled_and_open_windows_are_the_tables_in_whatever_way_evidence_arrives(scenario: Scenario) -> None:
    for way, played in plays(scenario):
        settled = sorted((one for _, one in debits(played.ledger)), key=lambda one: (one.window.start_at, one.window))
        expected = scenario.expected["windows"]
        columns = expected[0] if expected else {}
        assert [debit_cells(one, columns) for one in settled] == [*expected], way
        if "open" in scenario.expected:
            found = played.evidence.open_windows(played.ledger).values()
            open_ = sorted((one for windows in found for one in windows), key=lambda one: (one.start_at, one))
            expected = scenario.expected["open"]
            assert [window_cells(one, (expected or [{}])[0]) for one in open_] == [*expected], way


@each_scenario
def test_refused_orders_and_the_tokens_block_are_the_tables(scenario: Scenario) -> None:
    for way, played in plays(scenario):
        refused = [one.fact for one in played.ledger.entries.values() if isinstance(one.fact, Refusal)]
        expected = scenario.expected.get("refused", ())
        assert [refusal_cells(one, (expected or [{}])[0]) for one in refused] == [*expected], way
        for at, told in scenario.blocks.items():
            block = token_block(played.ledger, at)
            words = f"granted {block.granted} debited {block.debited} expired {block.expired} balance {block.balance}"
            assert words == told, way


@each_scenario
def test_connections_that_cost_nothing_are_listed_with_the_reason(scenario: Scenario) -> None:
    if "free" not in scenario.expected:
        return
    for way, played in plays(scenario):
        windows = [one.window for _, one in debits(played.ledger)]
        free = free_connections(sessions(played.days), windows, played.reading)
        expected = scenario.expected["free"]
        assert [free_cells(one, (expected or [{}])[0]) for one in free] == [*expected], way


@each_scenario
def test_every_window_is_explained_by_the_stretches_that_caused_it(scenario: Scenario) -> None:
    for way, played in plays(scenario):
        found = sessions(played.days)
        for _, one in debits(played.ledger):
            assert causes(one.window, found, played.reading), way


@each_scenario
def test_doing_everything_again_posts_nothing_new(scenario: Scenario) -> None:
    for way, played in plays(scenario):
        played.evidence.touch()
        ticked_until_at = played.ledger.settled_until_at
        again = played.post(played.heard, now=0, hold_ms=0 if not scenario.has_ticks else HOLD_MS)
        assert again == 0, way
        assert played.ledger.settled_until_at == ticked_until_at


@each_scenario
def test_one_that_is_stopped_anywhere_goes_on_to_the_same_entries(scenario: Scenario) -> None:
    whole, cut = Played(scenario), Played(scenario, stopping=True)
    for played in (whole, cut):
        for step in scenario.steps:
            if isinstance(step, Evidence):
                played.hear(fold(step.told))
            else:
                played.order(step)
        if not scenario.has_ticks:
            played.end()
    assert [*cut.ledger.entries.values()] == [*whole.ledger.entries.values()]
