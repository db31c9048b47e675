"""The scenarios of ``disputes/*.txt``: flags and lines without flagged sessions, from the rules and from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.contested_line import line_packet, overused_line
from pipeline.application.quarter_grounds import quarter_grounds
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
from pipeline.store.facts import write_session_days
from tests.golden.tables import Cells, Scenario, cells, read_rows, read_scenarios
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.packet_shorthand import plain_packet
from tests.support.evidence.random_fleets import reading_of

SCENARIOS = [one for path in sorted(Path(__file__).parent.glob("disputes/*.txt")) for one in read_scenarios(path)]
PERIOD = Period.parse("2022Q2")
BASIS = Basis(None, 0, 0, "sha256:0", "0", "embedded")
POOL = ("MSTN", "CZ")

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])


@pytest.fixture(scope="module")
def filled(store: Client) -> Client:
    """The store with the evidence of every scenario, told beat by beat."""
    write_session_days(store, fold([one for scenario in SCENARIOS for one in scenario.beaten]))
    return store


def pure_packet(scenario: Scenario) -> Packet:
    """The packet from all sessions of the account, every line without some of them counted anew from nothing."""
    reading, people = reading_of(scenario.contract), people_of(scenario.contract, scenario.commands)
    return plain_packet(reading, people, sessions(fold(scenario.told)), PERIOD, POOL, BASIS)


def stored_packet(store: Client, reading: ContractReading, logged: Sequence[Logged]) -> Packet:
    grounds = quarter_grounds(AccountView.of(store, reading).after(logged), PERIOD)
    line = overused_line(grounds.statement, *POOL)
    return replace(line_packet(grounds, line), basis=BASIS)


def expected_flags(scenario: Scenario) -> list[tuple[str, ...]]:
    found = list[tuple[str, ...]]()
    for row in scenario.blocks["flags"]:
        who, _, flags = row.partition(" : ")
        user, machine, opened = who.split(maxsplit=2)
        found.append((user, machine, str(instant(opened)), flags))
    return found


def told_flags(made: Packet) -> list[tuple[str, ...]]:
    return [
        (key.user, key.machine, str(one.session.opened_at // 60_000 * 60_000), " ".join(one.flags) or "-")
        for one in made.evidence
        for key in [one.session.key]
    ]


def told_what_if(one: WhatIf, name: str, currency: str, columns: Cells) -> Cells:
    line_columns = {column: "" for column in columns if column not in {"without", "sessions"}}
    return {"without": name, "sessions": str(one.sessions), **cells(one.line, currency, line_columns)}


@each_scenario
def test_flags_are_the_tables(scenario: Scenario) -> None:
    if "flags" in scenario.blocks:
        assert sorted(told_flags(pure_packet(scenario))) == sorted(expected_flags(scenario))


@each_scenario
def test_the_line_without_flagged_sessions_is_the_tables(scenario: Scenario) -> None:
    made, currency = pure_packet(scenario), scenario.contract.currency
    if "what if" in scenario.blocks:
        expected = list(read_rows(scenario.blocks["what if"]))
        named = [*((one, one.flags[0]) for one in made.alone), (made.together, "all")]
        told = [told_what_if(one, name, currency, row) for (one, name), row in zip(named, expected, strict=True)]
        assert told == expected
    if "packet" in scenario.blocks:
        claimed = "-" if made.claimed is None else format_money(made.claimed, currency)
        values = (made.kind, made.subcategory, claimed, str(len(made.evidence)), str(made.flagged))
        assert list(read_rows(scenario.blocks["packet"])) == [
            dict(zip(("kind", "asks for", "claimed", "sessions", "flagged"), values, strict=True))
        ]


@each_scenario
def test_the_store_makes_the_same_packet(scenario: Scenario, filled: Client) -> None:
    assert stored_packet(filled, reading_of(scenario.contract), scenario.commands) == pure_packet(scenario)
