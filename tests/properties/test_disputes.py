"""A packet from the store is the one from the rules, on random fleets under contracts with seats of people."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.application.account_view import AccountView
from pipeline.application.contested_line import line_packet
from pipeline.application.quarter_grounds import quarter_grounds
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.people.holders import people_of
from pipeline.store.client import Client
from pipeline.store.facts import write_session_days
from tests.support.evidence.packet_shorthand import plain_packet
from tests.support.evidence.random_fleets import Fleet, fleets, reading_of
from tests.support.evidence.random_people import logs, people_contracts
from tests.support.laws import examples
from tests.support.store.empty_stores import new_account

large_fleets = fleets(sessions_min=6, sessions_max=20, products=("A", "OLD", "B"))


@settings(max_examples=examples(6))
@given(fleet=large_fleets, data=st.data())
def test_the_store_makes_the_packet_that_the_rules_make(store: Client, fleet: Fleet, data: st.DataObject) -> None:
    account = new_account()
    told = fleet.of(account)
    contract = replace(data.draw(people_contracts(fleet.turn_at)), account=account)
    logged = data.draw(logs(fleet.turn_at, account))
    reading, people, found = reading_of(contract), people_of(contract, logged), tuple(sessions(fold(told)))
    write_session_days(store, fold(told))
    for period in fleet.periods:
        grounds = quarter_grounds(AccountView.of(store, reading).after(logged), period)
        statement = grounds.statement
        for line in [one for one in statement.pooled if one.overuse]:
            pool = (line.product, line.country)
            expected = plain_packet(reading, people, found, period, pool, statement.basis)
            made = line_packet(grounds, line)
            assert made == expected
            _lawful(made)


def _lawful(made: Packet) -> None:
    assert made.overused
    assert sum(len(series.counts) * series.slot_ms for series in made.days) == len(made.days) * 86_400_000
    assert max(one.overuse for one in made.overused) == made.line.overuse
    assert made.together.sessions == len([one for one in made.evidence if one.flags])
    assert made.claimed is None or made.claimed >= 0 or made.line.term_licenses == 0
