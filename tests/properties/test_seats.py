"""Live seats (RULES 3): counts equal those of the statement, and grace ends at the stated instant."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.contracts import Contract, Entitlement
from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.model.instants import DAY_MS, MINUTE_MS, Period, day_of
from pipeline.rules.evidence.merge import UsageFold, fold
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.live.seats_in_use import AccountSeats
from pipeline.rules.pool.counting import Pool, counted_slots
from pipeline.rules.pool.reading import ContractReading
from tests.support.evidence.evidence_shorthand import heartbeat
from tests.support.evidence.random_fleets import OWN, POLICIES, TURNS, Fleet, contracts, fleets, pure_counts, reading_of
from tests.support.laws import examples

Counts = dict[Pool, dict[int, int]]

midnights = fleets(sessions_max=5, hours=1)
"""Sessions around one midnight, where days are forgotten and rules change."""


def live_counts(seats: AccountSeats) -> Counts:
    live: Counts = {}
    for pool, slot_at, units in seats.counts():
        live.setdefault(pool, {})[slot_at] = units
    return live


def statement_counts(reading: ContractReading, days: list[SessionDay], horizon_day: int) -> Counts:
    """The statement's counts of slots on the kept days."""
    kept: Counts = {}
    for period in {Period.containing(day.day * DAY_MS) for day in days}:
        for pool, slots in pure_counts(reading, days, period).items():
            kept.setdefault(pool, {}).update({at: n for at, n in slots.items() if day_of(at) >= horizon_day})
    return {pool: slots for pool, slots in kept.items() if slots}


@settings(max_examples=examples(40))
@given(fleets(sessions_max=6) | midnights, st.data())
def test_live_counts_equal_the_statements_for_any_arrival_and_forgetting(fleet: Fleet, data: st.DataObject) -> None:
    reading = reading_of(data.draw(contracts(fleet.turn_at)))
    latest_at = fleet.turn_at + data.draw(st.integers(0, 4)) * DAY_MS
    days = fold([*fleet.heartbeats, heartbeat(latest_at, latest_at, machine="latest")])
    repeated = data.draw(st.lists(st.sampled_from(days), max_size=6))
    seats = AccountSeats(reading)
    for day in data.draw(st.permutations([*days, *repeated])):
        seats.merge(day)
        if data.draw(st.booleans()):
            seats.forget()
    seats.forget()
    expected = statement_counts(reading, days, seats.horizon_day)
    assert live_counts(seats) == expected
    for (product, country), slots in expected.items():
        assert all(seats.count(product, country, at) == units for at, units in slots.items())


@settings(max_examples=examples(40))
@given(fleets(sessions_max=8), st.data())
def test_live_counts_do_not_depend_on_the_grouping_of_evidence(fleet: Fleet, data: st.DataObject) -> None:
    reading = reading_of(data.draw(contracts(fleet.turn_at)))
    whole, pieces = AccountSeats(reading), AccountSeats(reading)
    for day in fold(fleet.heartbeats):
        whole.merge(day)
    for beat in data.draw(st.permutations(fleet.heartbeats)):
        for day in fold([beat]):
            pieces.merge(day)
    whole.forget()
    pieces.forget()
    assert live_counts(pieces) == live_counts(whole)
    assert list(pieces.in_grace()) == list(whole.in_grace())


def counts_anywhere(reading: ContractReading, session: Session) -> set[Pool]:
    """The pools in which a session counts in any slot."""
    periods = {Period.containing(at) for at in session.used_at()}
    return {
        (judgement.product, judgement.country)
        for period in periods
        for judgement in reading.judgements(session.key.product, session.key.country, period)
        for _ in counted_slots(session, judgement.policy, judgement.from_at, judgement.until_at)
    }


def going_on(session: Session, until_at: int) -> Session:
    """The session with beats up to an instant."""
    usage = UsageFold()
    for day in range(day_of(session.last_at), day_of(until_at) + 1):
        first = max(session.last_at // 600_000 - day * 144, 0)
        last = min(until_at // 600_000 - day * 144, 143)
        mask = sum(1 << slot for slot in range(first, last + 1))
        usage.merge(SessionDay(session.key, day, session.opened_at, until_at, mask, {}, "", 0, 0))
    for number, mask in session.used_slots.items():
        usage.merge(SessionDay(session.key, number, session.opened_at, session.last_at, mask, {}, "", 0, 0))
    return sessions(usage.session_days())[0]


@settings(max_examples=examples(80))
@given(midnights, st.data())
def test_a_session_counts_exactly_from_the_end_of_its_grace(fleet: Fleet, data: st.DataObject) -> None:
    reading, days = reading_of(data.draw(contracts(fleet.turn_at))), fold(fleet.heartbeats)
    seats = AccountSeats(reading)
    for day in days:
        seats.merge(day)
    by_key = {session.key: session for session in sessions(days)}
    for grace in seats.in_grace():
        session = by_key[grace.session]
        assert grace.counts_from > session.last_at
        assert (grace.product, grace.country) in counts_anywhere(reading, going_on(session, grace.counts_from))
        assert not counts_anywhere(reading, going_on(session, grace.counts_from - 1))


@settings(max_examples=examples(150))
@given(
    st.sampled_from(TURNS[1:]),
    st.sampled_from(POLICIES),
    st.sampled_from(POLICIES),
    st.integers(1, 25 * MINUTE_MS),
    st.integers(0, 12 * MINUTE_MS),
)
def test_grace_over_a_change_of_policy_ends_when_a_slot_of_either_counts(
    turn_at: int, before: str, after: str, early_ms: int, lasts_ms: int
) -> None:
    changed = Entitlement(("A",), "CZ", "pooled", after, 1, turn_at, None)
    contract = Contract("acme", "CZ", "EUR", "", default_policy=before, policies=OWN, entitlements=(changed,))
    reading, days = (
        reading_of(contract),
        fold([heartbeat(turn_at - early_ms, turn_at - early_ms + lasts_ms, product="A")]),
    )
    seats = AccountSeats(reading)
    for day in days:
        seats.merge(day)
    session, in_grace = sessions(days)[0], [*seats.in_grace()]
    assert len(in_grace) == (not counts_anywhere(reading, session))
    for grace in in_grace:
        assert grace.counts_from > session.last_at
        assert counts_anywhere(reading, going_on(session, grace.counts_from)) == {("A", "CZ")}
        assert not counts_anywhere(reading, going_on(session, grace.counts_from - 1))


@settings(max_examples=examples(40))
@given(fleets(sessions_max=8), st.data())
def test_recent_open_production_sessions_that_count_nowhere_are_in_grace(fleet: Fleet, data: st.DataObject) -> None:
    reading, days = reading_of(data.draw(contracts(fleet.turn_at))), fold(fleet.heartbeats)
    closes = {
        SessionKey(*heartbeat[:7]): heartbeat.at
        for heartbeat in sorted(fleet.heartbeats, key=lambda heartbeat: heartbeat.at)
        if heartbeat.state == "close"
    }
    seats, usage = AccountSeats(reading), UsageFold()
    for beat in fleet.heartbeats:
        usage.add(beat, 0)
    for close in usage.closes():
        seats.close(close)
    for day in days:
        seats.merge(day)
    seats.forget()
    expected = set()
    for session in sessions(day for day in days if day.day > day_of(seats.latest_at) - AccountSeats.DAYS_KEPT):
        judged = reading.judgements(session.key.product, session.key.country, Period.containing(session.last_at))
        now = [judgement for judgement in judged if judgement.from_at <= session.last_at < judgement.until_at]
        is_open = closes.get(session.key, 0) < session.last_at
        is_late = not now or seats.latest_at - session.last_at < 2 * now[0].policy.slot_ms
        if session.is_production and is_open and now and is_late and not counts_anywhere(reading, session):
            expected.add(session.key)
    assert {grace.session for grace in seats.in_grace()} == expected


@settings(max_examples=examples(40))
@given(fleets(sessions_max=4))
def test_a_close_before_or_after_the_evidence_ends_grace(fleet: Fleet) -> None:
    reading, days = reading_of(Contract("acme", "CZ", "EUR", "sha256:0")), fold(fleet.heartbeats)
    before, after = AccountSeats(reading), AccountSeats(reading)
    for close in (SessionClose(day.session, day.last_at) for day in days):
        before.close(close)
    for day in days:
        before.merge(day)
        after.merge(day)
    for close in (SessionClose(day.session, day.last_at) for day in days):
        after.close(close)
    assert list(before.in_grace()) == list(after.in_grace()) == []
