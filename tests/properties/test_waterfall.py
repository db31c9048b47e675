"""Laws of the waterfall (RULES 5), and that SQL says what the rules say of any fleet and any people."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.application.account_view import AccountView
from pipeline.application.quarter_counts import quarter_lines
from pipeline.model.statements import PooledLine, SeatLine
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.people.coverage import STEPS, Covered
from pipeline.rules.people.holders import People, people_of
from pipeline.rules.people.named_seats import named_coverage
from pipeline.rules.people.waterfall import uncovered, units_by_slot
from pipeline.rules.pool.entitled import seats_at
from pipeline.rules.statement import recount
from pipeline.store.client import Client
from pipeline.store.facts import write_session_days
from tests.support.evidence.random_fleets import Fleet, contracts, fleets, pure_counts, reading_of
from tests.support.evidence.random_people import logs, people_contracts
from tests.support.laws import examples
from tests.support.store.empty_stores import new_account

dense_fleets = fleets(sessions_min=4, sessions_max=25, products=("A", "A", "OLD", "B"))
NOBODY = People((), (), ())


@settings(max_examples=examples(60))
@given(fleet=dense_fleets, data=st.data())
def test_the_store_has_the_lines_of_the_rules(store: Client, fleet: Fleet, data: st.DataObject) -> None:
    account = new_account()
    contract = replace(data.draw(people_contracts(fleet.turn_at)), account=account)
    logged, told = data.draw(logs(fleet.turn_at, account)), fleet.of(account)
    reading, people, found = reading_of(contract), people_of(contract, logged), sessions(fold(told))
    write_session_days(store, fold(told))
    for period in fleet.periods:
        assert quarter_lines(AccountView.of(store, reading).after(logged), period) == recount.lines(
            reading, people, period, found
        )


@settings(max_examples=examples(60))
@given(fleet=dense_fleets, data=st.data())
def test_no_use_is_counted_twice_and_none_is_lost(fleet: Fleet, data: st.DataObject) -> None:
    contract = data.draw(people_contracts(fleet.turn_at))
    reading, people = reading_of(contract), people_of(contract, data.draw(logs(fleet.turn_at)))
    found = sessions(fold(fleet.heartbeats))
    for period in fleet.periods:
        used = recount.uses(reading, people, period, found)
        held, named = recount.seats(reading, people, period, used)
        covered = Covered([*held, *named_coverage(named, period)])
        left = [*uncovered(used, covered)]
        by_step = [
            one
            for one in used
            for step in STEPS
            if (by := covered.by(one.product, one.country, one.user, one.slot_at, one.slot_ms)) and by.step == step
        ]
        assert Counter(left) + Counter(by_step) == Counter(used)
        whole, pool = units_by_slot(used), units_by_slot(left)
        assert all(count <= whole[one][at] for one, slots in pool.items() for at, count in slots.items())
        assert units_by_slot([*left, *by_step]) == whole


@settings(max_examples=examples(60))
@given(fleet=dense_fleets, data=st.data())
def test_no_more_seats_are_taken_than_there_are(fleet: Fleet, data: st.DataObject) -> None:
    contract = data.draw(people_contracts(fleet.turn_at))
    reading, people = reading_of(contract), people_of(contract, data.draw(logs(fleet.turn_at)))
    found = sessions(fold(fleet.heartbeats))
    for period in fleet.periods:
        held, _ = recount.seats(reading, people, period, recount.uses(reading, people, period, found))
        for one in held:
            for at in {one.from_at, one.until_at - 1}:
                same = [
                    each
                    for each in held
                    if (each.product, each.country, each.step) == (one.product, one.country, one.step)
                ]
                seated = {each.user for each in same if each.from_at <= at < each.until_at}
                assert len(seated) <= seats_at(contract, one.product, one.country, one.step, at)
        for line in recount.lines(reading, people, period, found):
            if isinstance(line, SeatLine) and line.model == "named":
                assert len(line.users) <= line.entitled


@settings(max_examples=examples(40))
@given(fleet=dense_fleets, data=st.data())
def test_without_people_the_lines_are_the_pools_counts(fleet: Fleet, data: st.DataObject) -> None:
    contract = data.draw(contracts(fleet.turn_at))
    found = sessions(fold(fleet.heartbeats))
    for period in fleet.periods:
        reading = reading_of(contract)
        peaks = {
            pool: max(slots.values()) for pool, slots in pure_counts(reading, fold(fleet.heartbeats), period).items()
        }
        lines = [one for one in recount.lines(reading, NOBODY, period, found) if isinstance(one, PooledLine)]
        assert {(one.product, one.country): one.peak for one in lines if one.peak} == peaks


@settings(max_examples=examples(40))
@given(fleet=dense_fleets, data=st.data())
def test_where_all_seats_are_pooled_more_evidence_never_lowers_a_line(fleet: Fleet, data: st.DataObject) -> None:
    contract = data.draw(contracts(fleet.turn_at))
    reading = reading_of(contract)
    late = data.draw(st.sets(st.integers(0, len(fleet.heartbeats) - 1)))
    early = [one for index, one in enumerate(fleet.heartbeats) if index not in late]
    for period in fleet.periods:
        before, after = (
            {(one.product, one.country): one for one in recount.lines(reading, NOBODY, period, sessions(fold(told)))}
            for told in (early, fleet.heartbeats)
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
            {pool: max(slots.values()) for pool, slots in pure_counts(reading, fold(told), period).items()}
            for told in (
                fleet.heartbeats,
                [one for one in fleet.heartbeats if one.machine in chosen],
                [one for one in fleet.heartbeats if one.machine not in chosen],
            )
        )
        for pool, peak in whole.items():
            assert max(some.get(pool, 0), rest.get(pool, 0)) <= peak <= some.get(pool, 0) + rest.get(pool, 0)
