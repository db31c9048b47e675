"""Reading sessions and explanations from the store."""

from __future__ import annotations

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.explain.account_usage import CountedSession, UsageQuestion, usage_under
from pipeline.application.explain.explained_slot import explain_slot_at
from pipeline.model.contracts import Contract, Entitlement, Product, Replacement
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT, MINUTE_MS, day_of
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.stored_sessions import Selection, read_session_days, read_sessions
from tests.support.evidence.evidence_shorthand import heartbeat, instant, merged
from tests.support.evidence.random_fleets import reading_of
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_session_days

BIG_BANG_AT, DOOMSDAY_AT = -(10**13), 253_402_300_799_999
"""1653 and the last instant of the year 9999."""


@pytest.fixture
def account(store: Client) -> str:
    """An account with use of two products by two users on 3 May and over midnight to 4 May."""
    name = new_account()
    heartbeats = [
        heartbeat(instant("2022-05-03 15:01"), instant("2022-05-03 15:42"), account=name, session="a"),
        heartbeat(instant("2022-05-03 15:05"), instant("2022-05-03 15:30"), account=name, session="b", product="ORD"),
        heartbeat(
            instant("2022-05-03 23:50"),
            instant("2022-05-04 00:30"),
            account=name,
            session="c",
            user="petr",
            machine="pc2",
        ),
        heartbeat(instant("2022-05-03 15:06"), instant("2022-05-03 15:20"), account=name, session="d", usage="trial"),
    ]
    write_session_days(store, fold(heartbeats))
    return name


def names(store: Client, selection: Selection) -> list[str]:
    return [session.key.session for session in read_sessions(store, selection)]


def test_sessions_are_sorted_by_their_opening(store: Client, account: str) -> None:
    assert names(store, Selection(account, EARLIEST_AT, LATEST_AT)) == ["a", "b", "d", "c"]


def test_sessions_are_selected_by_user_machine_code_and_usage(store: Client, account: str) -> None:
    whole = (account, EARLIEST_AT, LATEST_AT)
    assert names(store, Selection(*whole, user="petr")) == ["c"]
    assert names(store, Selection(*whole, machine="pc1")) == ["a", "b", "d"]
    assert names(store, Selection(*whole, codes=("ORD", "STAAD"))) == ["b"]
    assert names(store, Selection(*whole, usage="trial")) == ["d"]
    assert names(store, Selection(*whole, user="petr", codes=("ORD",))) == []


def test_sessions_with_use_in_a_range_are_read_with_all_their_days(store: Client, account: str) -> None:
    midnight = instant("2022-05-04 00:00")
    (session,) = read_sessions(store, Selection(account, midnight, midnight + MINUTE_MS))
    assert (session.opened_at, session.last_at) == (instant("2022-05-03 23:50"), instant("2022-05-04 00:30"))
    assert names(store, Selection(account, instant("2022-05-04 00:40"), LATEST_AT)) == []
    assert names(store, Selection(account, midnight - 1, midnight)) == []


@pytest.mark.parametrize(
    ("from_at", "until_at"), [(BIG_BANG_AT, LATEST_AT), (0, DOOMSDAY_AT), (BIG_BANG_AT, DOOMSDAY_AT)]
)
def test_a_range_beyond_the_limits_of_the_store_selects_everything(
    store: Client, account: str, from_at: int, until_at: int
) -> None:
    assert names(store, Selection(account, from_at, until_at)) == ["a", "b", "d", "c"]


def test_a_range_after_all_evidence_selects_nothing(store: Client, account: str) -> None:
    assert names(store, Selection(account, DOOMSDAY_AT - DAY_MS, DOOMSDAY_AT)) == []


def test_other_days_of_selected_sessions_are_read_on_request(store: Client, account: str) -> None:
    one_day = Selection(account, instant("2022-05-04 00:00"), instant("2022-05-05 00:00"))

    def days(*, whole_sessions: bool) -> set[tuple[str, int]]:
        read = read_session_days(store, one_day, whole_sessions=whole_sessions)
        return {(day.session.session, day.day - day_of(one_day.from_at)) for day in read}

    assert days(whole_sessions=False) == {("c", 0)}
    assert days(whole_sessions=True) == {("c", -1), ("c", 0)}


def dated(account: str) -> ContractReading:
    """One seat of MSTN, which replaces OLD from 4 May on."""
    products = {"MSTN": Product("MSTN", replaces=(Replacement("OLD", instant("2022-05-04 00:00")),))}
    seat = Entitlement(("MSTN",), "CZ", "pooled", "bentley-select", 1, instant("2022-01-01 00:00"), None)
    return reading_of(Contract(account, "CZ", "EUR", "sha256:0", products=products, entitlements=(seat,)))


def view(store: Client, account: str) -> AccountView:
    """The account under that contract."""
    return AccountView.of(store, dated(account))


def test_usage_lists_each_session_under_the_product_it_counts_for(store: Client) -> None:
    account = new_account()
    heartbeats = [
        heartbeat(
            instant("2022-05-03 15:01"), instant("2022-05-03 15:12"), account=account, product="OLD", session="a"
        ),
        heartbeat(
            instant("2022-05-04 15:01"), instant("2022-05-04 15:12"), account=account, product="OLD", session="b"
        ),
        heartbeat(instant("2022-05-04 16:01"), instant("2022-05-04 16:12"), account=account, country="SK", session="c"),
    ]
    write_session_days(store, fold(heartbeats))

    def usage(product: str = "") -> list[CountedSession]:
        return usage_under(view(store, account), UsageQuestion(EARLIEST_AT, LATEST_AT, product))

    assert [(session.key.session, *pool) for session, *pool in usage()] == [
        ("a", "OLD", "CZ"),
        ("b", "MSTN", "CZ"),
        ("c", "MSTN", "SK"),
    ]
    assert [session.key.session for session, *_ in usage("MSTN")] == ["b", "c"]
    assert [session.key.session for session, *_ in usage("OLD")] == ["a", "b"]


def test_usage_lists_a_session_under_the_product_in_the_requested_range(store: Client) -> None:
    account = new_account()
    beat = heartbeat(instant("2022-05-03 23:45"), instant("2022-05-04 00:15"), account=account, product="OLD")
    write_session_days(store, fold([beat]))
    midnight = instant("2022-05-04 00:00")
    for from_at, until_at, product in ((midnight - DAY_MS, midnight, "OLD"), (midnight, LATEST_AT, "MSTN")):
        usage = usage_under(view(store, account), UsageQuestion(from_at, until_at))
        assert [named for _, named, _ in usage] == [product]
    assert len(usage_under(view(store, account), UsageQuestion(midnight, LATEST_AT, "MSTN"))) == 1


def test_a_slot_is_explained_through_the_store_with_everything_of_its_sessions(store: Client, account: str) -> None:
    explained = explain_slot_at(view(store, account), "MSTN", "CZ", instant("2022-05-03 15:14"))
    assert (explained.slot_at, explained.count, explained.entitled) == (instant("2022-05-03 15:10"), 1, 1)
    assert [session.key.session for unit in explained.units for session in unit.sessions] == ["a"]
    assert [(left_out.session.key.session, left_out.reason) for left_out in explained.uncounted] == [
        ("d", "not_production")
    ]


def test_a_session_over_midnight_is_explained_on_either_day(store: Client, account: str) -> None:
    before = explain_slot_at(view(store, account), "MSTN", "CZ", instant("2022-05-03 23:50"))
    assert [(entry.session.key.session, entry.reason) for entry in before.uncounted] == [("c", "opening_slot")]
    after = explain_slot_at(view(store, account), "MSTN", "CZ", instant("2022-05-04 00:00"))
    assert [session.opened_at for unit in after.units for session in unit.sessions] == [instant("2022-05-03 23:50")]


def test_a_product_is_explained_with_the_sessions_of_the_codes_it_replaces_there(store: Client) -> None:
    account = new_account()
    heartbeats = [
        heartbeat(instant(f"2022-05-0{day} 15:01"), instant(f"2022-05-0{day} 15:12"), account=account, product="OLD")
        for day in (3, 4)
    ]
    write_session_days(store, fold([heartbeats[0], heartbeats[1]._replace(session="later")]))
    assert explain_slot_at(view(store, account), "MSTN", "CZ", instant("2022-05-03 15:10")).count == 0
    assert explain_slot_at(view(store, account), "OLD", "CZ", instant("2022-05-03 15:10")).count == 1
    assert explain_slot_at(view(store, account), "MSTN", "CZ", instant("2022-05-04 15:10")).count == 1


def test_session_days_from_the_store_equal_the_fold(store: Client, account: str) -> None:
    days = read_session_days(store, Selection(account, EARLIEST_AT, LATEST_AT))
    assert len(merged(days)) == len(days) == 5
    assert {session.key for session in sessions(days)} == {day.session for day in days}
