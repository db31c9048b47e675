"""Disputes: opened with the amount of their packet or another amount, moved, and listed."""

from __future__ import annotations

import pytest

from pipeline.application.orders.disputes import account_disputes, open_dispute
from pipeline.model.orders import MoveDispute
from pipeline.store.client import Client
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.packet_shorthand import packet_of
from tests.support.store.ordering_account import OrderingAccount

OPENED = instant("2022-05-03 09:01")
PACKET = packet_of(
    heartbeat(OPENED, OPENED + 3_600_000, machine=machine, session=machine, user=machine) for machine in ("a", "b")
)


@pytest.fixture
def account(store: Client) -> OrderingAccount:
    return OrderingAccount(store)


@pytest.mark.parametrize(("amount", "asked"), [(None, PACKET.claimed), (12, 12)])
def test_a_dispute_claims_the_amount_of_its_packet_by_default(
    account: OrderingAccount, amount: int | None, asked: int
) -> None:
    outcome = open_dispute(account.view(), PACKET, account.issue("d"), account.poster, amount=amount, comment="sorry")
    assert outcome.status == "accepted"
    (dispute,) = account_disputes(account.view())
    assert (dispute.id, dispute.state, dispute.opened.amount) == ("d", "draft", asked)
    assert PACKET.claimed == 96_000


def test_more_than_the_line_costs_is_asked_back_only_when_confirmed(account: OrderingAccount) -> None:
    amount = 96_001
    refused = open_dispute(account.view(), PACKET, account.issue("d"), account.poster, amount=amount)
    assert refused.refused is not None
    assert (refused.status, refused.refused.code) == ("refused", "unconfirmed")
    assert account_disputes(account.view()) == ()
    confirmed = account.issue("d", "960.01")
    assert open_dispute(account.view(), PACKET, confirmed, account.poster, amount=amount).status == "accepted"
    assert open_dispute(account.view(), PACKET, account.issue("d"), account.poster, amount=amount).status == "known"


def test_a_dispute_moves_step_by_step(account: OrderingAccount) -> None:
    open_dispute(account.view(), PACKET, account.issue("d"), account.poster)
    skipped = account.place(MoveDispute("d", "granted", granted=5), "m1")
    assert skipped.status == "refused"
    for state in ("submitted", "answered"):
        assert account.place(MoveDispute("d", state), f"to {state}").status == "accepted"
    (dispute,) = account_disputes(account.view())
    assert dispute.state == "answered"
