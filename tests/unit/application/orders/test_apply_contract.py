"""A contract is applied as a new version, and an older version again."""

from __future__ import annotations

from pipeline.application.orders.apply_contract import stored_version
from pipeline.application.orders.contract_history import account_contract_versions
from pipeline.store.client import Client
from tests.support.store.ordering_account import OrderingAccount


def test_a_contract_that_is_applied_last_is_in_force_also_an_older_one(store: Client) -> None:
    account = OrderingAccount(store)
    other = account.apply(quantity=2)
    again = account.apply(quantity=1)
    versions = account_contract_versions(store, account.account)
    assert [(version.content_hash, version.is_current) for version in versions] == [
        (other.content_hash, False), (again.content_hash, True),
    ]  # fmt: skip
    assert {version.applied_by for version in versions} == {"jana"}
    assert stored_version(store, other) == versions[0]
