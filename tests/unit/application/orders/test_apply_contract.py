"""Applying contracts: a new version, and an older version again."""

from __future__ import annotations

import pytest

from pipeline.application.orders.apply_contract import stored_version
from pipeline.application.orders.close_quarter import close_quarter
from pipeline.application.orders.contract_history import account_contract_versions
from pipeline.model.errors import InputError
from pipeline.model.instants import MINUTE_MS, Period
from pipeline.rules.evidence.merge import fold
from pipeline.rules.statement.closes import Closed
from pipeline.store.client import Client
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.store.ordering_account import CONTRACT, OrderingAccount
from tests.support.store.written_facts import write_session_days

LATE_POLICY = """\
account: {account}
country: CZ
currency: EUR
default_policy: own
policies: {{own: {{extends: bentley-select, from: 2022-07-01}}}}
products: {{MSTN: {{}}}}
"""


def test_the_contract_applied_last_is_in_force_even_if_it_is_older(store: Client) -> None:
    account = OrderingAccount(store)
    other = account.apply(quantity=2)
    again = account.apply(quantity=1)
    versions = account_contract_versions(store, account.account)
    assert [(version.content_hash, version.is_current) for version in versions] == [
        (other.content_hash, False), (again.content_hash, True),
    ]  # fmt: skip
    assert {version.applied_by for version in versions} == {"jana"}
    assert stored_version(store, other) == versions[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (CONTRACT.replace("EUR", "USD"), "counts in USD, but 2022Q2 was closed in EUR"),
        (LATE_POLICY, "cannot count 2022Q2, which is closed: policy own is defined from 2022-07-01 on"),
    ],
)
def test_a_contract_under_which_closed_quarters_cannot_be_read_is_not_applied(
    store: Client, text: str, sentence: str
) -> None:
    account, opened_at = OrderingAccount(store), instant("2022-05-03 09:01")
    write_session_days(store, fold([heartbeat(opened_at, opened_at + 60 * MINUTE_MS, account=account.account)]))
    period = Period.parse("2022Q2")
    assert isinstance(close_quarter(account.view(), period, account.issue("c"), account.poster, is_forced=True), Closed)
    with pytest.raises(InputError, match=sentence):
        account.apply(text=text)
    (version,) = account_contract_versions(store, account.account)
    assert (version.content_hash, version.is_current) == (account.contract.content_hash, True)
