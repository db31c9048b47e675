"""Placing an order: it is judged by its log, posted once, and has the outcome of the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.orders.place_order import Issue, place_order
from pipeline.application.orders.poster import NotPosted
from pipeline.codec.reports.outcome_records import outcome_record
from pipeline.codec.topics.command_messages import CommandInvalid
from pipeline.embedded.folder_posting import FolderPoster
from pipeline.model.contracts import Contract, TokenPack
from pipeline.model.errors import InputError
from pipeline.model.instants import at_datetime
from pipeline.model.orders import Assign, BuyTokens, Command, MoveDispute, Order, Release, Unvoid, Void
from pipeline.rules.orders.outcomes import Outcome
from pipeline.store.client import Client
from tests.support.evidence.evidence_shorthand import instant
from tests.support.store.ordering_account import CONTRACT, OrderingAccount

AT = instant("2022-06-01 09:00")
PACK = TokenPack("B", "PO-77", "default", 50, AT, 15_000)


class OthersFirst:
    """A poster to a log to which others post something just before."""

    def __init__(self, poster: FolderPoster, others: Callable[[], object]) -> None:
        self._poster, self._others = poster, others

    def post_command(self, view: AccountView, command: Command) -> AccountView:
        self._others()
        self._poster.post_command(view, command)
        return view.refreshed()

    def post_contract(self, contract: Contract, body: bytes, applied_by: str, is_shown: Callable[[], bool]) -> None:
        raise NotImplementedError

    def settle(self, view: AccountView) -> AccountView:
        return self._poster.settle(view)


def broken() -> None:
    raise NotPosted("the broker failed")


@pytest.fixture
def account(store: Client) -> OrderingAccount:
    return OrderingAccount(store)


def logged_orders(account: OrderingAccount) -> list[tuple[str, Order]]:
    return [(logged.command.id, logged.command.order) for logged in account.view().log]


def effect(outcome: Outcome) -> tuple[str, str | None]:
    return outcome.status, outcome.refused.code if outcome.refused else None


def test_an_accepted_order_is_in_the_log_with_its_author_and_the_contracts_country(account: OrderingAccount) -> None:
    outcome = account.place(Assign("STAAD", "", "Petr", AT), "a1")
    assert effect(outcome) == ("accepted", None)
    (logged,) = account.view().log
    assert logged == outcome.logged
    assert (logged.command.by, logged.command.order) == ("jana", Assign("STAAD", "CZ", "petr", AT))


def test_an_order_that_the_log_refuses_is_not_posted_and_its_id_stays_free(account: OrderingAccount) -> None:
    account.place(Assign("STAAD", "", "petr", AT), "a1")
    assert effect(account.place(Assign("STAAD", "", "eva", AT), "a2"))[0] == "refused"
    assert [id_ for id_, _ in logged_orders(account)] == ["a1"]
    assert effect(account.place(Void("clock", session="s"), "a2")) == ("accepted", None)


def test_the_same_id_again_is_known_and_with_another_order_a_conflict(account: OrderingAccount) -> None:
    void = Void("clock", session="s")
    assert [effect(account.place(order, "v")) for order in (void, void, Void("other", session="s"))] == [
        ("accepted", None), ("known", None), ("conflict", "conflict"),
    ]  # fmt: skip
    assert [id_ for id_, _ in logged_orders(account)] == ["v"]


def test_an_invalid_order_is_not_posted(account: OrderingAccount) -> None:
    with pytest.raises(CommandInvalid):
        account.place(Release("STAAD", "", "", AT), "r")
    assert logged_orders(account) == []


def test_concurrent_orders_of_others_decide_the_outcome(account: OrderingAccount) -> None:
    account.place(Void("clock", session="s"), "v")
    undo = Unvoid("v", "was right")
    poster = OthersFirst(account.poster, lambda: account.place(undo, "other"))
    outcome = place_order(account.view(), undo, account.issue("mine"), poster)
    assert effect(outcome) == ("refused", "undone_already")
    assert outcome.logged.command.id == "mine"


def test_a_concurrent_order_with_the_same_id_is_a_conflict(account: OrderingAccount) -> None:
    poster = OthersFirst(account.poster, lambda: account.place(Void("first", session="s"), "v"))
    outcome = place_order(account.view(), Void("second", session="s"), account.issue("v"), poster)
    assert effect(outcome) == ("conflict", "conflict")


def test_an_order_is_judged_by_the_contract_in_force_and_by_no_other(account: OrderingAccount) -> None:
    before = account.view()
    account.contract = account.apply(text=CONTRACT.replace("practitioner, quantity: 1", "practitioner, quantity: 2"))
    for user in ("petr", "eva"):
        outcome = place_order(before, Assign("STAAD", "", user, AT), account.issue(user), account.poster)
        assert effect(outcome) == ("accepted", None)
    account.contract = account.apply(text=CONTRACT.replace("STAAD: {{}}, ", "").replace("STAAD", "MSTN"))
    before = AccountView.of(account.store, before.reading)
    outcome = place_order(before, Assign("STAAD", "", "jana", AT), account.issue("jana"), account.poster)
    assert effect(outcome) == ("refused", "unknown_product")


def test_no_order_is_placed_in_another_currency_than_that_of_the_contract_in_force(account: OrderingAccount) -> None:
    before = account.view()
    account.apply(text=CONTRACT.replace("EUR", "JPY"))
    with pytest.raises(InputError, match="counts in EUR, and the contract of account-"):
        place_order(before, MoveDispute("d", "granted", granted=960), account.issue("m"), account.poster)
    assert logged_orders(account) == []


def test_a_refused_order_is_possible_at_the_instant_that_its_refusal_prints(account: OrderingAccount) -> None:
    account.place(Assign("STAAD", "", "petr", AT + 1), "a1")
    refused = account.place(Release("STAAD", "", "petr", AT + 2), "r1")
    possible_at = outcome_record(refused, "EUR")["possible_at"]
    assert possible_at == "2022-07-01T09:00:00.001Z"
    again = Release("STAAD", "", "petr", at_datetime(datetime.fromisoformat(possible_at)))
    assert effect(account.place(again, "r1")) == ("accepted", None)


def test_an_order_can_be_placed_again_after_a_failed_posting(account: OrderingAccount) -> None:
    issue, void = account.issue("v"), Void("clock", session="s")
    with pytest.raises(NotPosted):
        place_order(account.view(), void, issue, OthersFirst(account.poster, broken))
    assert effect(place_order(account.view(), void, issue, account.poster)) == ("accepted", None)


def test_repeating_a_purchase_settles_it_if_it_was_posted_but_not_settled(
    account: OrderingAccount,
) -> None:
    issue = account.issue("b")
    command = Command(issue.id, account.account, issue.by, issue.at, BuyTokens((PACK,)))
    account.poster.post_command(account.view(), command)
    assert "B" not in account.view().ledger.grants
    assert effect(place_order(account.view(), BuyTokens((PACK,)), issue, account.poster)) == ("known", None)
    assert account.view().ledger.teams["default"].balance == 150


def test_a_purchase_is_settled_under_the_stored_contract(account: OrderingAccount) -> None:
    account.apply(quantity=2)
    outcome = place_order(account.view(), BuyTokens((PACK,)), account.issue("b"), account.poster)
    assert effect(outcome) == ("accepted", None)
    assert account.view().ledger.teams["default"].balance == 150


@pytest.mark.parametrize("set_back_ms", [0, 10 * 60_000])
def test_an_outcome_agrees_with_the_log_even_if_the_clock_is_set_back(
    account: OrderingAccount, set_back_ms: int
) -> None:
    account.place(Assign("STAAD", "", "petr", AT), "a1")
    account.now_ms -= set_back_ms
    view = account.view()
    issue = Issue("r1", "jana", account.now())
    after = account.poster.post_command(view, _release(account, issue))
    assert after.log == account.view().log
    assert after.orders == account.view().orders


def _release(account: OrderingAccount, issue: Issue) -> Command:
    return Command(issue.id, account.account, issue.by, issue.at, Release("STAAD", "CZ", "petr", AT + 1))
