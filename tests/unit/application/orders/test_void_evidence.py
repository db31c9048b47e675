"""A void reports whether it leaves out any evidence."""

from __future__ import annotations

import pytest

from pipeline.application.orders.void_evidence import void_evidence
from pipeline.model.orders import Void
from pipeline.rules.evidence.merge import fold
from pipeline.store.client import Client
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.store.ordering_account import OrderingAccount
from tests.support.store.written_facts import write_session_days

OPENED = instant("2022-05-03 09:01")


@pytest.mark.parametrize(("session", "has_evidence"), [("s1", True), ("misspelt", False)])
def test_a_void_without_matching_evidence_is_accepted_and_reported(
    store: Client, session: str, has_evidence: bool
) -> None:
    account = OrderingAccount(store)
    beat = heartbeat(OPENED, OPENED + 3_600_000, account=account.account, session="s1")
    write_session_days(store, fold([beat]))
    void = Void("clock was wrong", session=session)
    outcome, evidence = void_evidence(account.view(), void, account.issue("v"), account.poster)
    assert (outcome.status, evidence) == ("accepted", has_evidence)
    assert [entry.id for entry in account.view().voids] == ["v"]
