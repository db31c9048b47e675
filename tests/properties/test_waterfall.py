"""Laws of the waterfall (RULES 5); SQL and the rules agree on any fleet and any people."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import quarter_lines
from pipeline.model.statements import PooledLine, SeatLine
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.people.coverage import WATERFALL_STEPS, Covered
from pipeline.rules.people.holders import People, people_of
from pipeline.rules.people.named_seats import named_coverage
from pipeline.rules.people.waterfall import uncovered, units_by_slot
from pipeline.rules.pool.entitled import seats_at
from pipeline.rules.statement import recount
from pipeline.store.client import Client
from tests.support.evidence.random_fleets import Fleet, contracts, fleets, pure_counts, reading_of
from tests.support.evidence.random_people import logs, people_contracts
from tests.support.laws import examples
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_session_days

pytestmark = pytest.mark.slow

dense_fleets = fleets(sessions_min=4, sessions_max=25, products=("A", "A", "OLD", "B"))
NOBODY = People((), (), ())


@settings(max_examples=examples(60))
@given(fleet=dense_fleets, data=st.data())
def test_lines_from_the_store_equal_those_of_the_rules(store: Client, fleet: Fleet, data: st.DataObject) -> None:
    account = new_account()
    contract = replace(data.draw(people_contracts(fleet.turn_at)), account=account)
    logged, heartbeats = data.draw(logs(fleet.turn_at, account)), fleet.of(account)
    reading, people, used = reading_of(contract), people_of(contract, logged), sessions(fold(heartbeats))
    write_session_days(store, fold(heartbeats))
    for period in fleet.periods:
        assert quarter_lines(AccountView.of(store, reading).after(logged), period) == recount.lines(
            reading, people, period, used
        )


@settings(max_examples=examples(60))
@given(fleet=dense_fleets, data=st.data())
def test_each_use_is_counted_exactly_once(fleet: Fleet, data: st.DataObject) -> None:
    contract = data.draw(people_contracts(fleet.turn_at))
    reading, people = reading_of(contract), people_of(contract, data.draw(logs(fleet.turn_at)))
    all_sessions = sessions(fold(fleet.heartbeats))
    for period in fleet.periods:
        used = recount.uses(reading, people, period, all_sessions)
        held, named = recount.seats(reading, people, period, used)
        covered = Covered([*held, *named_coverage(named, period)])
        left = [*uncovered(used, covered)]
        by_step = [
            used_slot
            for used_slot in used
            for step in WATERFALL_STEPS
            if (
                by := covered.by(
                    used_slot.product, used_slot.country, used_slot.user, used_slot.slot_at, used_slot.slot_ms
                )
            )
            and by.step == step
        ]
        assert Counter(left) + Counter(by_step) == Counter(used)
        whole, pool = units_by_slot(used), units_by_slot(left)
        assert all(count <= whole[of_pool][at] for of_pool, slots in pool.items() for at, count in slots.items())
        assert units_by_slot([*left, *by_step]) == whole


@settings(max_examples=examples(60))
@given(fleet=dense_fleets, data=st.data())
def test_no_more_seats_are_used_than_entitled(fleet: Fleet, data: st.DataObject) -> None:
    contract = data.draw(people_contracts(fleet.turn_at))
    reading, people = reading_of(contract), people_of(contract, data.draw(logs(fleet.turn_at)))
    all_sessions = sessions(fold(fleet.heartbeats))
    for period in fleet.periods:
        held, _ = recount.seats(reading, people, period, recount.uses(reading, people, period, all_sessions))
        for held_seat in held:
            for at in {held_seat.from_at, held_seat.until_at - 1}:
                same = [
                    each
                    for each in held
                    if (each.product, each.country, each.step) == (held_seat.product, held_seat.country, held_seat.step)
                ]
                seated = {each.user for each in same if each.from_at <= at < each.until_at}
                assert len(seated) <= seats_at(contract, held_seat.product, held_seat.country, held_seat.step, at)
        for line in recount.lines(reading, people, period, all_sessions):
            if isinstance(line, SeatLine) and line.model == "named":
                assert len(line.users) <= line.entitled


@settings(max_examples=examples(40))
@given(fleet=dense_fleets, data=st.data())
def test_lines_without_people_are_the_counts_of_pools(fleet: Fleet, data: st.DataObject) -> None:
    contract = data.draw(contracts(fleet.turn_at))
    all_sessions = sessions(fold(fleet.heartbeats))
    for period in fleet.periods:
        reading = reading_of(contract)
        peaks = {
            pool: max(slots.values()) for pool, slots in pure_counts(reading, fold(fleet.heartbeats), period).items()
        }
        lines = [line for line in recount.lines(reading, NOBODY, period, all_sessions) if isinstance(line, PooledLine)]
        assert {(line.product, line.country): line.peak for line in lines if line.peak} == peaks


@settings(max_examples=examples(40))
@given(fleet=dense_fleets, data=st.data())
def test_more_evidence_never_lowers_a_line_of_pooled_seats(fleet: Fleet, data: st.DataObject) -> None:
    contract = data.draw(contracts(fleet.turn_at))
    reading = reading_of(contract)
    late = data.draw(st.sets(st.integers(0, len(fleet.heartbeats) - 1)))
    early = [heartbeat for index, heartbeat in enumerate(fleet.heartbeats) if index not in late]
    for period in fleet.periods:
        before, after = (
            {
                (line.product, line.country): line
                for line in recount.lines(reading, NOBODY, period, sessions(fold(heartbeats)))
            }
            for heartbeats in (early, fleet.heartbeats)
        )
        for pool, line in before.items():
            then = after[pool]
            assert isinstance(line, PooledLine)
            assert isinstance(then, PooledLine)
            assert line.peak <= then.peak
            assert line.overuse <= then.overuse
            assert line.overuse_days <= then.overuse_days
            assert line.term_licenses <= then.term_licenses


@settings(max_examples=examples(40))
@given(fleet=dense_fleets, data=st.data())
def test_the_peak_of_a_union_of_machines_is_at_most_the_sum_of_peaks(fleet: Fleet, data: st.DataObject) -> None:
    reading = reading_of(data.draw(contracts(fleet.turn_at)))
    chosen = data.draw(st.sets(st.sampled_from(("pc1", "pc2", "pc3"))))
    for period in fleet.periods:
        whole, some, rest = (
            {pool: max(slots.values()) for pool, slots in pure_counts(reading, fold(heartbeats), period).items()}
            for heartbeats in (
                fleet.heartbeats,
                [heartbeat for heartbeat in fleet.heartbeats if heartbeat.machine in chosen],
                [heartbeat for heartbeat in fleet.heartbeats if heartbeat.machine not in chosen],
            )
        )
        for pool, peak in whole.items():
            assert max(some.get(pool, 0), rest.get(pool, 0)) <= peak <= some.get(pool, 0) + rest.get(pool, 0)
