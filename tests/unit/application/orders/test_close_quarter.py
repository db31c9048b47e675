"""A quarter is closed once, under a stored version of the contract; the first close in the log stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.orders.close_quarter import ContractNotStored, close_quarter
from pipeline.model.contracts import Contract
from pipeline.model.instants import Period
from pipeline.model.orders import Command, Refused
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.closes import Closed
from pipeline.store.client import Client
from pipeline.store.facts import write_completeness
from tests.support.store.ordering_account import CONTRACT, OrderingAccount
from tests.unit.application.orders.test_place_order import OthersFirst

PERIOD = Period.parse("2022Q2")


@pytest.fixture
def account(store: Client) -> OrderingAccount:
    return OrderingAccount(store)


def close(account: OrderingAccount, id_: str, *, is_forced: bool = False) -> Closed | Refused:
    return close_quarter(account.view(), PERIOD, account.issue(id_), account.poster, is_forced=is_forced)


def test_a_quarter_with_complete_evidence_is_closed_with_its_statement(account: OrderingAccount) -> None:
    write_completeness(account.store, account.account, "run", PERIOD.end_at)
    closed = close(account, "c")
    assert isinstance(closed, Closed)
    assert (closed.id, closed.close.forced, closed.statement.state) == ("c", False, "closed")
    assert closed == account.view().closes.quarters["2022Q2"]


def test_a_quarter_with_incomplete_evidence_is_closed_only_by_force(account: OrderingAccount) -> None:
    refused = close(account, "c")
    assert isinstance(refused, Refused)
    assert refused.code == "incomplete"
    assert account.view().log == ()
    forced = close(account, "c", is_forced=True)
    assert isinstance(forced, Closed)
    assert forced.close.forced


def test_the_same_id_again_returns_the_close_and_another_id_is_refused(account: OrderingAccount) -> None:
    first = close(account, "c", is_forced=True)
    assert close(account, "c") == first
    refused = close(account, "d", is_forced=True)
    assert isinstance(refused, Refused)
    assert refused.code == "already_closed"
    assert len(account.view().log) == 1


def test_a_concurrent_close_that_is_first_in_the_log_stands(account: OrderingAccount) -> None:
    poster = OthersFirst(account.poster, lambda: close(account, "other", is_forced=True))
    refused = close_quarter(account.view(), PERIOD, account.issue("mine"), poster, is_forced=True)
    assert isinstance(refused, Refused)
    assert refused.code == "already_closed"
    assert account.view().closes.quarters["2022Q2"].id == "other"


def test_a_contract_that_is_not_stored_cannot_close_a_quarter(account: OrderingAccount) -> None:
    unstored: Contract = replace(account.contract, content_hash="sha256:unstored")
    view = AccountView.of(account.store, ContractReading(unstored, metering_catalogue()))
    with pytest.raises(ContractNotStored):
        close_quarter(view, PERIOD, account.issue("c"), account.poster, is_forced=True)
    assert account.view().log == ()


def test_a_quarter_in_which_nothing_was_used_or_licensed_is_closed_only_by_force(account: OrderingAccount) -> None:
    write_completeness(account.store, account.account, "run", PERIOD.end_at)
    mistyped = Period.parse("2021Q2")
    refused = close_quarter(account.view(), mistyped, account.issue("c"), account.poster)
    assert isinstance(refused, Refused)
    assert refused.code == "empty"
    assert account.view().log == ()
    forced = close_quarter(account.view(), mistyped, account.issue("c"), account.poster, is_forced=True)
    assert isinstance(forced, Closed)


def test_a_version_in_another_currency_than_the_contract_in_force_closes_nothing(account: OrderingAccount) -> None:
    euros = account.view()
    account.contract = account.apply(text=CONTRACT.replace("EUR", "USD"))
    refused = close_quarter(euros, PERIOD, account.issue("c"), account.poster, is_forced=True)
    assert isinstance(refused, Refused)
    assert refused.code == "other_currency"
    assert account.view().log == ()


def test_a_close_under_a_used_id_is_refused(account: OrderingAccount) -> None:
    first = close(account, "c", is_forced=True)
    assert isinstance(first, Closed)
    early = Period.parse("2022Q1")
    refused = close_quarter(account.view(), early, account.issue("c"), account.poster, is_forced=True)
    assert isinstance(refused, Refused)
    assert refused.code == "conflict"
    assert isinstance(first.command, Command)
    assert list(account.view().closes.quarters) == ["2022Q2"]
