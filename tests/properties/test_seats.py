"""Live seats (RULES 3): a cache whose counts are the statement's, and whose grace ends when it says."""

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
    """The statement's counts of the slots on the days that are kept."""
    kept: Counts = {}
    for period in {Period.containing(day.day * DAY_MS) for day in days}:
        for pool, slots in pure_counts(reading, days, period).items():
            kept.setdefault(pool, {}).update({at: n for at, n in slots.items() if day_of(at) >= horizon_day})
    return {pool: slots for pool, slots in kept.items() if slots}


@settings(max_examples=examples(40))
@given(fleets(sessions_max=6) | midnights, st.data())
def test_counts_are_the_statements_however_session_days_come_and_whatever_was_forgotten(
    fleet: Fleet, data: st.DataObject
) -> None:
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
def test_evidence_that_comes_in_pieces_gives_the_same_live_counts_as_all_at_once(
    fleet: Fleet, data: st.DataObject
) -> None:
    reading = reading_of(data.draw(contracts(fleet.turn_at)))
    whole, pieces = AccountSeats(reading), AccountSeats(reading)
    for day in fold(fleet.heartbeats):
        whole.merge(day)
    for one in data.draw(st.permutations(fleet.heartbeats)):
        for day in fold([one]):
            pieces.merge(day)
    whole.forget()
    pieces.forget()
    assert live_counts(pieces) == live_counts(whole)
    assert list(pieces.in_grace()) == list(whole.in_grace())


def counts_anywhere(reading: ContractReading, session: Session) -> set[Pool]:
    """The pools in which a session counts in any slot."""
    periods = {Period.containing(at) for at in session.used_at()}
    return {
        (one.product, one.country)
        for period in periods
        for one in reading.judgements(session.key.product, session.key.country, period)
        for _ in counted_slots(session, one.policy, one.from_at, one.until_at)
    }


def going_on(session: Session, until_at: int) -> Session:
    """The session, beating on to an instant."""
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
def test_beating_on_until_grace_ends_makes_a_session_count_and_a_millisecond_less_does_not(
    fleet: Fleet, data: st.DataObject
) -> None:
    reading, days = reading_of(data.draw(contracts(fleet.turn_at))), fold(fleet.heartbeats)
    seats = AccountSeats(reading)
    for day in days:
        seats.merge(day)
    known = {session.key: session for session in sessions(days)}
    for one in seats.in_grace():
        session = known[one.session]
        assert one.counts_from > session.last_at
        assert (one.product, one.country) in counts_anywhere(reading, going_on(session, one.counts_from))
        assert not counts_anywhere(reading, going_on(session, one.counts_from - 1))


@settings(max_examples=examples(150))
@given(
    st.sampled_from(TURNS[1:]),
    st.sampled_from(POLICIES),
    st.sampled_from(POLICIES),
    st.integers(1, 25 * MINUTE_MS),
    st.integers(0, 12 * MINUTE_MS),
)
def test_grace_over_the_change_of_a_policy_ends_when_a_slot_of_either_counts(
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
    session, grace = sessions(days)[0], [*seats.in_grace()]
    assert len(grace) == (not counts_anywhere(reading, session))
    for one in grace:
        assert one.counts_from > session.last_at
        assert counts_anywhere(reading, going_on(session, one.counts_from)) == {("A", "CZ")}
        assert not counts_anywhere(reading, going_on(session, one.counts_from - 1))


@settings(max_examples=examples(40))
@given(fleets(sessions_max=8), st.data())
def test_in_grace_are_the_open_production_sessions_lately_heard_that_count_nowhere(
    fleet: Fleet, data: st.DataObject
) -> None:
    reading, days = reading_of(data.draw(contracts(fleet.turn_at))), fold(fleet.heartbeats)
    closes = {
        SessionKey(*one[:7]): one.at for one in sorted(fleet.heartbeats, key=lambda one: one.at) if one.state == "close"
    }
    seats, usage = AccountSeats(reading), UsageFold()
    for one in fleet.heartbeats:
        usage.add(one, 0)
    for close in usage.closes():
        seats.close(close)
    for day in days:
        seats.merge(day)
    seats.forget()
    expected = set()
    for session in sessions(day for day in days if day.day > day_of(seats.latest_at) - AccountSeats.DAYS_KEPT):
        judged = reading.judgements(session.key.product, session.key.country, Period.containing(session.last_at))
        now = [one for one in judged if one.from_at <= session.last_at < one.until_at]
        is_open = closes.get(session.key, 0) < session.last_at
        is_late = not now or seats.latest_at - session.last_at < 2 * now[0].policy.slot_ms
        if session.is_production and is_open and now and is_late and not counts_anywhere(reading, session):
            expected.add(session.key)
    assert {one.session for one in seats.in_grace()} == expected


@settings(max_examples=examples(40))
@given(fleets(sessions_max=4))
def test_a_close_that_is_heard_before_or_after_the_evidence_ends_grace(fleet: Fleet) -> None:
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
