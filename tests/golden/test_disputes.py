"""The scenarios of ``disputes/*.txt``: flags and lines without flagged sessions, from the rules and from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.explain.contested_line import line_packet, overused_line
from pipeline.application.quarter.quarter_grounds import quarter_grounds
from pipeline.model.instants import Period
from pipeline.model.money import format_money
from pipeline.model.orders import Logged
from pipeline.model.statements import Basis
from pipeline.rules.dispute.packet import Packet, WhatIf
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.people.holders import people_of
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from tests.golden.tables import Cells, Scenario, cells, read_rows, read_scenarios
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.packet_shorthand import plain_packet
from tests.support.evidence.random_fleets import reading_of
from tests.support.store.written_facts import write_session_days

SCENARIOS = [
    scenario for path in sorted(Path(__file__).parent.glob("disputes/*.txt")) for scenario in read_scenarios(path)
]
PERIOD = Period.parse("2022Q2")
BASIS = Basis(None, 0, 0, "sha256:0", "0", "embedded")
POOL = ("MSTN", "CZ")

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])


@pytest.fixture(scope="module")
def filled(store: Client) -> Client:
    """The store with the evidence of every scenario, beat by beat."""
    write_session_days(store, fold([beat for scenario in SCENARIOS for beat in scenario.beats]))
    return store


def pure_packet(scenario: Scenario) -> Packet:
    """The packet from all sessions of the account; each line without some of them is a full recount."""
    reading, people = reading_of(scenario.contract), people_of(scenario.contract, scenario.commands)
    return plain_packet(reading, people, sessions(fold(scenario.heartbeats)), PERIOD, POOL, BASIS)


def stored_packet(store: Client, reading: ContractReading, logged: Sequence[Logged]) -> Packet:
    grounds = quarter_grounds(AccountView.of(store, reading).after(logged), PERIOD)
    line = overused_line(grounds.statement, *POOL)
    return replace(line_packet(grounds, line), basis=BASIS)


def expected_flags(scenario: Scenario) -> list[tuple[str, ...]]:
    flags_of_rows = list[tuple[str, ...]]()
    for row in scenario.blocks["flags"]:
        who, _, flags = row.partition(" : ")
        user, machine, opened = who.split(maxsplit=2)
        flags_of_rows.append((user, machine, str(instant(opened)), flags))
    return flags_of_rows


def flags_of(made: Packet) -> list[tuple[str, ...]]:
    return [
        (key.user, key.machine, str(row.session.opened_at // 60_000 * 60_000), " ".join(row.flags) or "-")
        for row in made.evidence
        for key in [row.session.key]
    ]


def what_if_cells(what_if: WhatIf, name: str, currency: str, columns: Cells) -> Cells:
    line_columns = {column: "" for column in columns if column not in {"without", "sessions"}}
    return {"without": name, "sessions": str(what_if.sessions), **cells(what_if.line, currency, line_columns)}


@each_scenario
def test_flags_match_the_tables(scenario: Scenario) -> None:
    if "flags" in scenario.blocks:
        assert sorted(flags_of(pure_packet(scenario))) == sorted(expected_flags(scenario))


@each_scenario
def test_lines_without_flagged_sessions_match_the_tables(scenario: Scenario) -> None:
    made, currency = pure_packet(scenario), scenario.contract.currency
    if "what if" in scenario.blocks:
        expected = list(read_rows(scenario.blocks["what if"]))
        named = [*((what_if, what_if.flags[0]) for what_if in made.alone), (made.together, "all")]
        actual = [
            what_if_cells(what_if, name, currency, row) for (what_if, name), row in zip(named, expected, strict=True)
        ]
        assert actual == expected
    if "packet" in scenario.blocks:
        claimed = "-" if made.claimed is None else format_money(made.claimed, currency)
        values = (made.kind, made.subcategory, claimed, str(len(made.evidence)), str(made.flagged))
        assert list(read_rows(scenario.blocks["packet"])) == [
            dict(zip(("kind", "asks for", "claimed", "sessions", "flagged"), values, strict=True))
        ]


@each_scenario
def test_the_packet_from_the_store_is_the_same(scenario: Scenario, filled: Client) -> None:
    assert stored_packet(filled, reading_of(scenario.contract), scenario.commands) == pure_packet(scenario)
