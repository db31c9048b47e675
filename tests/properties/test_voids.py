"""Voids in SQL and in the rules agree: statements, sessions and the analysts' views, on random fleets and logs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.application.account_view import AccountView
from pipeline.application.explain.explained_slot import explain_slot_at
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.model.contracts import Contract
from pipeline.model.evidence import SessionDay
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS, MINUTE_MS, Period
from pipeline.model.orders import Logged, Order, Unvoid, Void
from pipeline.model.statements import VoidEntry
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.orders.voids import voids_in_force, without_voided
from pipeline.rules.pool.counting import Pool
from pipeline.rules.pool.counting import slot_counts as counts_of
from pipeline.rules.pool.pooled_lines import pooled_lines
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.order_log import PlacedCommand, read_commands, write_commands
from pipeline.store.stored_sessions import Selection, read_sessions
from tests.properties.test_store_counts import analysts_counts, insert_oddly
from tests.support.evidence.order_shorthand import command
from tests.support.evidence.random_fleets import TURNS, Fleet, fleets, reading_of
from tests.support.laws import examples
from tests.support.store.empty_stores import new_account

pytestmark = pytest.mark.slow

some_fleets = fleets(sessions_min=4, sessions_max=20, products=("A", "B"))


@st.composite
def orders(draw: st.DrawFn, fleet: Fleet) -> Order:
    """A void of a fleet's evidence, or an unvoid; ids and texts repeat."""
    beat = draw(st.sampled_from(fleet.heartbeats))
    product, machine, user = (draw(st.sampled_from(("", text))) for text in (beat.product, beat.machine, beat.user))
    shape = draw(st.sampled_from(("session", "range", "range", "range", "undo")))
    if shape == "undo":
        return Unvoid(draw(st.sampled_from("abc")), "it was right")
    if shape == "session":
        return Void("x", beat.session, product, machine, user)
    from_at = draw(st.sampled_from((beat.opened_at, beat.since, beat.at))) // BASE_SLOT_MS * BASE_SLOT_MS
    from_at += draw(st.integers(-3, 3)) * BASE_SLOT_MS + draw(st.sampled_from((0, 0, 1, -1, 77_777)))
    until_at = from_at + draw(st.sampled_from((1, 9 * MINUTE_MS, 10 * MINUTE_MS, 180 * MINUTE_MS, DAY_MS)))
    return Void("x", "", product, machine or ("" if user else beat.machine), user, from_at, until_at)


def logs(fleet: Fleet) -> st.SearchStrategy[list[tuple[str, Order]]]:
    """Orders with their ids, some of them used twice."""
    return st.lists(st.tuples(st.sampled_from("abcdef"), orders(fleet)), max_size=8)


def post(store: Client, account: str, ordered: list[tuple[str, Order]], data: st.DataObject) -> tuple[VoidEntry, ...]:
    """Store a log as one or two broker logs, in any order and parts; returns the voids in force by the rules."""
    cut = data.draw(st.integers(0, len(ordered)))
    log, placed = [], []
    for number, (id_, order) in enumerate(ordered):
        sent = command(order, id_, account)
        name, offset = ("z", number) if number < cut else ("a", number - cut)
        log.append(Logged(sent, TURNS[0] + number))
        placed.append(PlacedCommand(sent, name, "commands", 0, offset, TURNS[0] + number))
    for part in (data.draw(st.permutations(placed)), placed[: len(placed) // 2]):
        write_commands(store, part)
    assert read_commands(store, account) == log
    return voids_in_force(log)


def pure(reading: ContractReading, used: list[Session], period: Period) -> dict[Pool, dict[int, int]]:
    reported = {(session.key.product, session.key.country) for session in used}
    return counts_of(used, reading.judgements_of(reported, period))


@settings(max_examples=examples(15))
@given(fleet=some_fleets, data=st.data())
def test_voids_in_sql_equal_those_of_the_rules(store: Client, fleet: Fleet, data: st.DataObject) -> None:
    account = new_account()
    heartbeats, contract = fleet.of(account), Contract(account, "CZ", "EUR", f"sha256:{account}")
    reading = reading_of(contract)
    insert_oddly(store, heartbeats, data)
    voids = post(
        store,
        account,
        data.draw(logs(fleet)),
        data,
    )
    view = AccountView.of(store, reading)
    assert view.voids == voids
    days: list[SessionDay] = fold(heartbeats)
    left = without_voided(sessions(days), voids)
    for period in fleet.periods:
        expected = pure(reading, left, period)
        statement = computed_statement(view, period)
        assert statement.lines == pooled_lines(reading, period, expected)
        assert {void.id for void in statement.voids} <= {void.id for void in voids}
        for (product, country), slots in [*pure(reading, sessions(days), period).items()][:2]:
            slot_at = data.draw(st.sampled_from(sorted(slots)))
            explained = explain_slot_at(view, product, country, slot_at)
            assert explained.count == expected.get((product, country), {}).get(slot_at, 0)
    everything = Selection(account, fleet.turn_at - 9 * DAY_MS, fleet.turn_at + 9 * DAY_MS)
    assert sorted(read_sessions(store, everything, voids), key=lambda session: session.key) == left


@settings(max_examples=examples(8))
@given(fleet=some_fleets, data=st.data())
def test_the_analysts_views_apply_the_same_voids(store: Client, fleet: Fleet, data: st.DataObject) -> None:
    account = new_account()
    heartbeats, contract = fleet.of(account), Contract(account, "CZ", "EUR", f"sha256:{account}")
    store_contract(store, contract, b"country: CZ", 0)
    insert_oddly(store, heartbeats, data)
    voids = post(
        store,
        account,
        data.draw(logs(fleet)),
        data,
    )
    left = without_voided(sessions(fold(heartbeats)), voids)
    expected: dict[Pool, dict[int, int]] = {}
    for period in fleet.periods:
        for pool, slots in pure(reading_of(contract), left, period).items():
            expected.setdefault(pool, {}).update(slots)
    assert analysts_counts(store, account).get("bentley-select", {}) == expected
    rows = store.query(
        "SELECT machine, session, usage, reported_product, reported_country, user, count() FROM usage_slots "
        "WHERE account = {account:String} GROUP BY ALL",
        {"account": account},
    ).result_rows
    used = {
        (key.machine, key.session, key.usage, key.product, key.country, key.user): len([*session.used_at()])
        for session in left
        for key in (session.key,)
    }
    assert {row[:6]: row[6] for row in rows} == used
