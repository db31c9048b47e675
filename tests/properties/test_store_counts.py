"""SQL and the rules count the same (ARCHITECTURE, ClickHouse), on random fleets and any order of inserts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.application.account_view import AccountView
from pipeline.application.explain.explained_slot import explain_slot_at
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.codec.columns.seat_rows import SEAT_ROWS, evidence_of
from pipeline.model.contracts import Contract, Product, Replacement
from pipeline.model.evidence import Heartbeat, SessionDay
from pipeline.model.instants import DAY_MS, Period
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.pool.counting import Pool
from pipeline.rules.pool.pooled_lines import pooled_lines
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.counting.counts import reported_codes, slot_counts
from pipeline.store.latest_usage import read_latest_days, read_seat_rows
from pipeline.store.stored_sessions import Selection, read_session_days, read_sessions
from tests.support.evidence.evidence_shorthand import merged
from tests.support.evidence.random_fleets import Fleet, contracts, fleets, pure_counts, reading_of
from tests.support.laws import examples
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_session_days

pytestmark = pytest.mark.slow

large_fleets = fleets(sessions_min=8, sessions_max=40)
some_products = fleets(sessions_min=5, sessions_max=25, products=("A", "OLD", "B"))
some_products_at_midnight = fleets(sessions_min=5, sessions_max=15, hours=1, products=("A", "OLD"))
BUILT_IN = ("bentley-select", "bentley-css", "bentley-select-deployed", "bentley-e365", "bentley-els")


def insert_oddly(store: Client, heartbeats: Iterable[Heartbeat], data: st.DataObject) -> None:
    """Insert the session days in parts, one of them twice, in any order."""
    parts: list[list[Heartbeat]] = [[], [], []]
    for number, heartbeat in enumerate(heartbeats):
        parts[number % 3].append(heartbeat)
    for part in data.draw(st.permutations([0, 1, 2, data.draw(st.integers(0, 2))])):
        write_session_days(store, data.draw(st.permutations(fold(parts[part]))))


@settings(max_examples=examples(25))
@given(fleet=large_fleets, data=st.data())
def test_counts_of_a_statement_in_sql_equal_those_of_the_rules(
    store: Client, fleet: Fleet, data: st.DataObject
) -> None:
    account, contract = new_account(), data.draw(contracts(fleet.turn_at))
    heartbeats, reading = fleet.of(account), reading_of(_of(contract, account))
    insert_oddly(store, heartbeats, data)
    for period in fleet.periods:
        expected = pure_counts(reading, fold(heartbeats), period)
        judgements = reading.judgements_of(reported_codes(store, account, period), period)
        assert (
            slot_counts(store, account, period, [judgement for of_code in judgements.values() for judgement in of_code])
            == expected
        )
        statement = computed_statement(AccountView.of(store, reading), period)
        assert statement.lines == pooled_lines(reading, period, expected)
        for (product, country), slots in [*expected.items()][:2]:
            slot_at = data.draw(st.sampled_from(sorted(slots)))
            assert explain_slot_at(AccountView.of(store, reading), product, country, slot_at).count == slots[slot_at]


@settings(max_examples=examples(12))
@given(fleet=large_fleets, data=st.data())
def test_stored_session_days_equal_the_fold(store: Client, fleet: Fleet, data: st.DataObject) -> None:
    account = new_account()
    heartbeats, days = fleet.of(account), fold(fleet.of(account))
    insert_oddly(store, heartbeats, data)
    everything = Selection(account, fleet.turn_at - 9 * DAY_MS, fleet.turn_at + 9 * DAY_MS)
    assert merged(read_session_days(store, everything)) == days
    assert len(read_session_days(store, everything)) == len(days)
    assert sorted(read_sessions(store, everything), key=lambda session: session.key) == sessions(days)
    accounts = [latest for latest in read_latest_days(store, 2) if latest.account == account]
    rows = read_seat_rows(store, accounts, 2) if accounts else SEAT_ROWS.empty_table()
    last_day = max((day.day for day in days), default=0)
    assert [latest.day for latest in accounts] == [last_day][: len(days)]
    assert merged(day for day in evidence_of(rows) if isinstance(day, SessionDay)) == [
        replace(day, stretches={}, version="", received_min_at=0, received_max_at=0)
        for day in days
        if day.day > last_day - 2
    ]


@settings(max_examples=examples(12))
@given(fleet=some_products | some_products_at_midnight, data=st.data())
def test_slot_counts_of_every_policy_equal_those_of_the_rules(store: Client, fleet: Fleet, data: st.DataObject) -> None:
    account = new_account()
    heartbeats = fleet.of(account)
    replaced_at = fleet.turn_at + data.draw(st.integers(-1, 1)) * DAY_MS
    replaces = data.draw(st.sampled_from(((), (Replacement("OLD"),), (Replacement("OLD", replaced_at),))))
    contract = Contract(account, "CZ", "EUR", f"sha256:{account}", products={"A": Product("A", replaces=replaces)})
    store_contract(store, contract, b"country: CZ", 0)
    insert_oddly(store, heartbeats, data)
    counts = analysts_counts(store, account)
    for policy in BUILT_IN:
        if fleet.turn_at - 3 * DAY_MS >= 1_459_468_800_000 or policy in {"bentley-select", "bentley-select-deployed"}:
            judged = Contract(account, "CZ", "EUR", "", default_policy=policy, products=contract.products)
            assert counts.get(policy, {}) == everything(reading_of(judged), heartbeats, fleet.periods), policy


def analysts_counts(store: Client, account: str) -> dict[str, dict[Pool, dict[int, int]]]:
    """The counts of the view by policy."""
    rows = store.query(
        "SELECT policy, product, country, toUnixTimestamp64Milli(slot_at), units FROM slot_counts "
        "WHERE account = {account:String}",
        {"account": account},
    ).result_rows
    counts: dict[str, dict[Pool, dict[int, int]]] = {}
    for policy, product, country, slot_at, units in rows:
        assert isinstance(slot_at, int)
        assert isinstance(units, int)
        counts.setdefault(str(policy), {}).setdefault((str(product), str(country)), {})[slot_at] = units
    return counts


def everything(
    reading: ContractReading, heartbeats: Iterable[Heartbeat], periods: Iterable[Period]
) -> dict[Pool, dict[int, int]]:
    """The counts of the rules over some quarters."""
    days, together = fold(heartbeats), dict[Pool, dict[int, int]]()
    for period in periods:
        for pool, slots in pure_counts(reading, days, period).items():
            together.setdefault(pool, {}).update(slots)
    return together


def _of(contract: Contract, account: str) -> Contract:
    return Contract(
        account=account,
        country=contract.country,
        currency=contract.currency,
        content_hash=contract.content_hash,
        default_policy=contract.default_policy,
        policies=contract.policies,
        products=contract.products,
        entitlements=contract.entitlements,
    )
