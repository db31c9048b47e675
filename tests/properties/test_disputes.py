"""Packets from the store and from the rules are equal, on random fleets under contracts with seats of people."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.application.account_view import AccountView
from pipeline.application.explain.contested_line import line_packet
from pipeline.application.quarter.quarter_grounds import quarter_grounds
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.people.holders import people_of
from pipeline.store.client import Client
from tests.support.evidence.packet_shorthand import plain_packet
from tests.support.evidence.random_fleets import Fleet, fleets, reading_of
from tests.support.evidence.random_people import logs, people_contracts
from tests.support.laws import examples
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_session_days

pytestmark = pytest.mark.slow

large_fleets = fleets(sessions_min=6, sessions_max=20, products=("A", "OLD", "B"))


@settings(max_examples=examples(6))
@given(fleet=large_fleets, data=st.data())
def test_packets_from_the_store_and_from_the_rules_are_equal(store: Client, fleet: Fleet, data: st.DataObject) -> None:
    account = new_account()
    heartbeats = fleet.of(account)
    contract = replace(data.draw(people_contracts(fleet.turn_at)), account=account)
    logged = data.draw(logs(fleet.turn_at, account))
    reading, people, used = reading_of(contract), people_of(contract, logged), tuple(sessions(fold(heartbeats)))
    write_session_days(store, fold(heartbeats))
    for period in fleet.periods:
        grounds = quarter_grounds(AccountView.of(store, reading).after(logged), period)
        statement = grounds.statement
        for line in [line for line in statement.pooled if line.overuse]:
            pool = (line.product, line.country)
            expected = plain_packet(reading, people, used, period, pool, statement.basis)
            made = line_packet(grounds, line)
            assert made == expected
            _lawful(made)


def _lawful(made: Packet) -> None:
    assert made.overused
    assert sum(len(series.counts) * series.slot_ms for series in made.days) == len(made.days) * 86_400_000
    assert max(day.overuse for day in made.overused) == made.line.overuse
    assert made.together.sessions == len([row for row in made.evidence if row.flags])
    assert made.claimed is None or made.claimed >= 0 or made.line.term_licenses == 0
