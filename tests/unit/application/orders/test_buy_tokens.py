"""A purchase of tokens: its packs are in the ledger at once, and the store is asked each question once."""

from __future__ import annotations

import pytest

from pipeline.application.orders.buy_tokens import Purchase, buy_tokens
from pipeline.embedded.folder_posting import FolderPoster
from pipeline.store.client import Client
from tests.support.evidence.evidence_shorthand import instant
from tests.support.store.counting_client import CountingClient
from tests.support.store.ordering_account import OrderingAccount

AT = instant("2022-06-19 00:00")
PURCHASE = Purchase("PO-77", "PO-77", "default", (300, 600), AT, price=100_000)


@pytest.fixture
def account(store: Client) -> OrderingAccount:
    return OrderingAccount(store)


def test_the_packs_of_a_purchase_are_granted_when_it_returns(account: OrderingAccount) -> None:
    outcome = buy_tokens(account.view(), PURCHASE, account.issue("b"), account.poster)
    assert outcome.status == "accepted"
    grants = account.view().ledger.grants
    assert [(id_, grants[id_].tokens, grants[id_].price) for id_ in ("PO-77/1", "PO-77/2")] == [
        ("PO-77/1", 300, 33_333), ("PO-77/2", 600, 66_667),
    ]  # fmt: skip


def test_a_purchase_number_with_other_packs_is_refused_and_changes_nothing(account: OrderingAccount) -> None:
    buy_tokens(account.view(), PURCHASE, account.issue("b1"), account.poster)
    other = Purchase("PO-77b", "PO-77", "default", (5,), AT)
    outcome = buy_tokens(account.view(), other, account.issue("b2"), account.poster)
    assert outcome.refused is not None
    assert outcome.refused.code == "purchase_conflict"
    assert account.view().ledger.teams["default"].balance == 1_000


@pytest.mark.parametrize("bought_before", [False, True])
def test_the_orders_and_the_ledger_are_read_once(account: OrderingAccount, bought_before: bool) -> None:
    if bought_before:
        buy_tokens(account.view(), PURCHASE, account.issue("b"), account.poster)
    client = CountingClient(account.store)
    purchase = Purchase("PO-78", "PO-78", "default", (5,), AT)
    outcome = buy_tokens(account.view(client), purchase, account.issue("c"), FolderPoster(client, account.now))
    assert outcome.status == "accepted"
    asked = {table: client.questions[table] for table in ("commands", "ledger_log", "contracts", "completeness")}
    assert asked == dict.fromkeys(asked, 1)
    assert (client.inserts["commands"], client.inserts["ledger_log"]) == (1, 1)
