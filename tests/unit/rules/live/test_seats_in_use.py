"""Live seats: what they keep, what they forget, and who is in grace (RULES 3)."""

from __future__ import annotations

import pytest

from pipeline.model.contracts import Contract, CustomPolicy, Entitlement, Product
from pipeline.model.evidence import Heartbeat, SessionClose
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS
from pipeline.rules.evidence.merge import fold
from pipeline.rules.live.seats_in_use import AccountSeats
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.random_fleets import reading_of

MIDNIGHT = instant("2022-05-04 00:00")
CONTRACT = Contract("acme", "CZ", "EUR", "sha256:0")


def seats_of(*heartbeats: Heartbeat, contract: Contract = CONTRACT) -> AccountSeats:
    seats = AccountSeats(reading_of(contract))
    for day in fold(heartbeats):
        seats.merge(day)
    return seats


def use(since: int, at: int, session: str = "s", *, product: str = "MSTN", usage: str = "production") -> Heartbeat:
    """A session from ``since`` to ``at`` minutes after midnight."""
    since_at, at_at = MIDNIGHT + since * MINUTE_MS, MIDNIGHT + at * MINUTE_MS
    return heartbeat(since_at, at_at, session=session, product=product, usage=usage)


def test_a_unit_counts_once_for_all_its_sessions() -> None:
    seats = seats_of(use(1, 25, "a"), use(2, 35, "b"))
    assert [(pool, (at - MIDNIGHT) // MINUTE_MS, units) for pool, at, units in seats.counts()] == [
        (("MSTN", "CZ"), 10, 1),
        (("MSTN", "CZ"), 20, 1),
        (("MSTN", "CZ"), 30, 1),
    ]


def test_a_late_earlier_opening_moves_the_opening_slot() -> None:
    seats = seats_of(use(11, 25))
    assert seats.count("MSTN", "CZ", MIDNIGHT + 10 * MINUTE_MS) == 0
    (late,) = fold([heartbeat(MIDNIGHT + MINUTE_MS, MIDNIGHT + 12 * MINUTE_MS)])
    seats.merge(late)
    assert seats.count("MSTN", "CZ", MIDNIGHT + 10 * MINUTE_MS) == 1


def test_slots_before_the_counted_days_are_left_to_the_store() -> None:
    seats = seats_of(use(1, 25), heartbeat(MIDNIGHT + 2 * DAY_MS, MIDNIGHT + 2 * DAY_MS + HOUR_MS, session="later"))
    assert seats.count("MSTN", "CZ", MIDNIGHT) == 0
    with pytest.raises(LookupError, match="ask the store"):
        seats.count("MSTN", "CZ", MIDNIGHT - 1)


def test_days_older_than_the_counted_days_are_not_reported() -> None:
    seats = seats_of(use(1, 25), heartbeat(MIDNIGHT + 3 * DAY_MS, MIDNIGHT + 3 * DAY_MS, session="later"))
    assert list(seats.counts()) == []


def test_forgetting_a_day_does_not_change_a_session_over_midnight() -> None:
    over_midnight = [
        use(-20, -19),
        heartbeat(MIDNIGHT + 5 * MINUTE_MS, MIDNIGHT + 8 * MINUTE_MS),  # the client has lost its opening
    ]
    seats = seats_of(*over_midnight)
    assert seats.count("MSTN", "CZ", MIDNIGHT) == 1
    for day in fold([heartbeat(MIDNIGHT + 2 * DAY_MS, MIDNIGHT + 2 * DAY_MS, session="later")]):
        seats.merge(day)
    seats.forget()
    assert seats.count("MSTN", "CZ", MIDNIGHT) == 1


def test_a_session_day_older_than_the_kept_days_is_ignored() -> None:
    seats = seats_of(use(1, 25))
    before = list(seats.counts())
    for day in fold([heartbeat(MIDNIGHT - 9 * DAY_MS, MIDNIGHT - 9 * DAY_MS + HOUR_MS, session="old")]):
        seats.merge(day)
    assert list(seats.counts()) == before


def test_nothing_counts_at_a_time_without_a_policy() -> None:
    late = CustomPolicy("late", "bentley-select", MIDNIGHT + 99 * DAY_MS)
    contract = Contract("acme", "CZ", "EUR", "", default_policy="late", policies={"late": late})
    seats = seats_of(use(1, 25), contract=contract)
    assert (list(seats.counts()), list(seats.in_grace())) == ([], [])
    ancient = seats_of(heartbeat(instant("2003-05-04 09:01"), instant("2003-05-04 09:30")))
    assert (list(ancient.counts()), list(ancient.in_grace())) == ([], [])


def test_an_open_session_is_in_grace_until_its_min_use_outside_its_opening_slot() -> None:
    (grace,) = seats_of(use(1, 5)).in_grace()
    assert (grace.product, grace.country, grace.opened_at) == ("MSTN", "CZ", MIDNIGHT + MINUTE_MS)
    assert grace.counts_from == MIDNIGHT + 11 * MINUTE_MS
    assert list(seats_of(use(1, 11)).in_grace()) == []


def test_sessions_in_grace_are_sorted_by_opening() -> None:
    seats = seats_of(use(3, 5, "a"), use(1, 5, "b"), use(2, 5, "c"))
    assert [grace.session.session for grace in seats.in_grace()] == ["b", "c", "a"]


def test_grace_ends_by_the_policy_in_force_after_midnight() -> None:
    slow = CustomPolicy("slow", "bentley-select", MIDNIGHT, min_use_ms=12 * MINUTE_MS)
    changed = Entitlement(("MSTN",), "CZ", "pooled", "slow", 1, MIDNIGHT, None)
    contract = Contract("acme", "CZ", "EUR", "", policies={"slow": slow}, entitlements=(changed,))
    (grace,) = seats_of(use(-5, -2), contract=contract).in_grace()
    assert grace.counts_from == MIDNIGHT + 7 * MINUTE_MS


@pytest.mark.parametrize("bare_at", [5, 9])
def test_a_closed_session_is_not_in_grace(bare_at: int) -> None:
    seats = seats_of(use(1, 5))
    (grace,) = seats.in_grace()
    seats.close(SessionClose(grace.session, MIDNIGHT + bare_at * MINUTE_MS))
    assert list(seats.in_grace()) == []


def test_a_session_with_a_heartbeat_after_its_close_is_in_grace_again() -> None:
    seats = seats_of(use(1, 5))
    (grace,) = seats.in_grace()
    seats.close(SessionClose(grace.session, MIDNIGHT + 5 * MINUTE_MS))
    for day in fold([use(1, 6)]):
        seats.merge(day)
    assert [grace.session for grace in seats.in_grace()] == [grace.session]


def test_trials_old_sessions_and_free_plug_ins_are_not_in_grace() -> None:
    products = {"MSTN": Product("MSTN"), "PLUG": Product("PLUG", plugin_of="MSTN")}
    contract = Contract("acme", "CZ", "EUR", "", products=products)
    heartbeats = [
        use(1, 5, "trial", usage="trial"),
        use(1, 5, "silent"),
        use(20, 25, "plug", product="PLUG"),
        use(20, 25, "new"),
    ]
    assert [grace.session.session for grace in seats_of(*heartbeats, contract=contract).in_grace()] == ["new"]


def test_closes_without_evidence_are_forgotten_with_their_days() -> None:
    seats = seats_of(use(1, 5))
    (grace,) = seats.in_grace()
    for number in range(100):
        seats.close(SessionClose(grace.session._replace(session=f"unheard {number}"), MIDNIGHT))
    for day in fold([heartbeat(MIDNIGHT + 9 * DAY_MS, MIDNIGHT + 9 * DAY_MS, session="later")]):
        seats.merge(day)
    seats.forget()
    assert len(seats._closed_at) == 0
    assert len(seats._days) == 1


def test_another_version_of_the_contract_judges_everything_anew() -> None:
    seats, replacing = seats_of(use(1, 25)), Contract("acme", "SK", "EUR", "sha256:1")
    before = [units for _, _, units in seats.counts()]
    seats.judge_by(reading_of(replacing))
    assert {pool for pool, _, _ in seats.counts()} == {("MSTN", "SK")}
    assert [units for _, _, units in seats.counts()] == before
    seats.judge_by(reading_of(CONTRACT))
    assert list(seats.counts()) == list(seats_of(use(1, 25)).counts())
