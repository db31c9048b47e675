"""The account that is meant: the one that is named, or the only one; what is said names what is there."""

from __future__ import annotations

import pytest

from pipeline.application.account_view import open_account
from pipeline.application.orders.contract_history import account_contract_versions
from pipeline.model.errors import InputError
from pipeline.store.client import Client
from tests.support.store.ordering_account import OrderingAccount


@pytest.fixture
def account(store: Client) -> OrderingAccount:
    return OrderingAccount(store)


def test_an_account_without_a_contract_is_named_with_those_that_have_one(account: OrderingAccount) -> None:
    sentence = "--account: the store holds no contract of nosuch. It holds those of account-"
    for ask in (
        lambda: open_account(account.store, "embedded", "nosuch"),
        lambda: account_contract_versions(account.store, "nosuch"),
    ):
        with pytest.raises(InputError) as refused:
            ask()
        assert str(refused.value).startswith(sentence)


def test_without_a_name_and_with_several_contracts_the_accounts_are_listed(store: Client) -> None:
    first, second = OrderingAccount(store), OrderingAccount(store)
    with pytest.raises(InputError, match="Name one of account-") as refused:
        open_account(store, "embedded")
    assert first.account != second.account
    assert str(refused.value).startswith("--account: is not given, and the store holds contracts of ")


def test_an_account_beside_the_contract_of_another_is_refused(account: OrderingAccount) -> None:
    with pytest.raises(InputError, match="is nosuch, but the contract that is given is of account-"):
        open_account(account.store, "embedded", "nosuch", account.contract)
    assert open_account(account.store, "embedded", account.account, account.contract).account == account.account
