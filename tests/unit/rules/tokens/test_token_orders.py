"""Purchases and credits checked against the ledger, balances with reservations, and explained charges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model.contracts import Contract, Entitlement, Product, TokenPack
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS
from pipeline.model.ledger_entries import Debit
from pipeline.model.orders import BuyTokens, Command, CreditTokens, Logged, Order
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.balance import balances
from pipeline.rules.tokens.charge_explanation import Asked, explain_tokens
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.refused_token_orders import refused_orders
from pipeline.rules.tokens.token_evidence import TokenEvidence
from tests.support.evidence.evidence_shorthand import heartbeat, instant

MONDAY = instant("2022-05-02 08:00")
BOUGHT_AT = instant("2022-01-10 00:00")
OF_CONTRACT = TokenPack("P", "PO-1", "default", 10, BOUGHT_AT, None)
CONTRACT = ContractReading(
    Contract(
        account="acme",
        country="CZ",
        currency="EUR",
        content_hash="",
        products={"ACD": Product("ACD")},
        entitlements=(Entitlement(("ACD",), "CZ", "flex", "autodesk-flex", 0, BOUGHT_AT, None, daily_rate=7),),
        token_packs=(OF_CONTRACT, replace(OF_CONTRACT, id="Q", purchase="PO-2", team="other")),
    ),
    metering_catalogue(),
)
READING = TokenReading(CONTRACT, token_catalogue())
BOUGHT = TokenPack("B", "PO-77", "default", 500, MONDAY, 150_000)


def evidence_of(*days: int, user: str = "eva") -> TokenEvidence:
    """An hour's use at eight on some days."""
    evidence = TokenEvidence(READING)
    for number in days:
        at = MONDAY + number * DAY_MS
        for day in fold([heartbeat(at, at + HOUR_MS, product="ACD", user=user, session=f"s{number}", machine="pc")]):
            evidence.merge(day)
    return evidence


def settled(evidence: TokenEvidence, until_at: int, orders: tuple[Logged, ...] = ()) -> Ledger:
    ledger = Ledger("acme")
    entries = draft(ledger, CONTRACT.contract, evidence, orders, now=MONDAY, hold_ms=0, complete_until=until_at)
    for posting in postings(ledger, entries):
        assert ledger.append(posting)
    evidence.touch()
    return ledger


def ordered(*orders: Order) -> tuple[Logged, ...]:
    return tuple(
        Logged(Command(f"c{number}", "acme", "jana", MONDAY, order), MONDAY + number)
        for number, order in enumerate(orders)
    )


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (BuyTokens((BOUGHT,)), None),
        (BuyTokens((replace(BOUGHT, id="B1", tokens=200), replace(BOUGHT, id="B2", tokens=300))), None),
        (BuyTokens((OF_CONTRACT,)), None),
        (BuyTokens((replace(BOUGHT, purchase="PO-1"),)), "purchase_conflict"),
        (BuyTokens((replace(BOUGHT, id="P"),)), "pack_conflict"),
        (BuyTokens((replace(BOUGHT, purchased_at=MONDAY + DAY_MS),)), "purchased_in_future"),
        (BuyTokens((replace(BOUGHT, team="nobody"),)), "unknown_team"),
        (CreditTokens("default", 1, "goodwill"), None),
        (CreditTokens("default", 1, "reversal", "nothing"), "unknown_debit"),
        (CreditTokens("nobody", 1, "goodwill"), "unknown_team"),
    ],
)
def test_an_order_is_judged_the_same_before_and_after_it_is_in_the_ledger(order: Order, code: str | None) -> None:
    log = ordered(order)
    before = refused_orders(settled(evidence_of(), MONDAY), CONTRACT, log)
    after = refused_orders(settled(evidence_of(), MONDAY, log), CONTRACT, log)
    assert (
        [refusal.code for refusal in before] == [refusal.code for refusal in after] == ([] if code is None else [code])
    )


def test_a_purchase_in_the_future_is_refused_with_the_instant_from_which_it_is_possible() -> None:
    log = ordered(BuyTokens((replace(BOUGHT, purchased_at=MONDAY + DAY_MS),)))
    (refused,) = refused_orders(Ledger("acme"), CONTRACT, log)
    assert refused.possible_at == MONDAY + DAY_MS


def test_the_first_order_with_a_purchase_number_stands() -> None:
    log = ordered(BuyTokens((BOUGHT,)), BuyTokens((BOUGHT,)), BuyTokens((replace(BOUGHT, id="C", tokens=5),)))
    assert [(refusal.id, refusal.code) for refusal in refused_orders(Ledger("acme"), CONTRACT, log)] == [
        ("c2", "purchase_conflict")
    ]
    ledger = settled(evidence_of(), MONDAY, log)
    assert set(ledger.packs) == {"P", "Q", "B"}


def test_open_windows_are_reserved_in_the_team_that_will_pay() -> None:
    evidence = evidence_of(0, 1, 2, 3)
    ledger = settled(evidence, MONDAY + HOUR_MS)
    waiting = [window for windows in evidence.open_windows(ledger).values() for window in windows]
    default, other = balances(ledger, waiting, MONDAY + HOUR_MS)
    assert (default.settled.balance, default.reserved, default.available) == (3, 3, 0)
    assert (other.settled.balance, other.reserved, other.available) == (10, 10, 0)
    assert [(team.open_windows, team.open_uncovered) for team in (default, other)] == [(1, 4), (2, 4)]
    assert [pack.left for pack in default.packs] == [3], "balances do not change the ledger"


def test_each_charge_has_its_session_and_free_use_has_a_reason() -> None:
    evidence = evidence_of(0, 1)
    glance_at = MONDAY + 2 * DAY_MS
    for day in fold([heartbeat(glance_at, glance_at + 4 * MINUTE_MS, product="ACD", user="eva", session="glance")]):
        evidence.merge(day)
    ledger = settled(evidence, MONDAY + HOUR_MS)
    waiting = [window for windows in evidence.open_windows(ledger).values() for window in windows]
    sessions: list[Session] = list(evidence.sessions())
    whole = Asked(MONDAY, MONDAY + 9 * DAY_MS)
    explained = explain_tokens(ledger, waiting, sessions, READING, whole)
    assert [(charge.window.start_at, charge.debit is None) for charge in explained.charges] == [
        (MONDAY, False), (MONDAY + DAY_MS, True),
    ]  # fmt: skip
    assert [[key.session for key, _ in charge.causes] for charge in explained.charges] == [["s0"], ["s1"]]
    assert [(free_use.session.session, free_use.reason) for free_use in explained.free] == [
        ("glance", "free_connection")
    ]
    (debit,) = (entry for entry in ledger.entries.values() if isinstance(entry.fact, Debit))
    of_entry = explain_tokens(ledger, waiting, sessions, READING, replace(whole, entry=debit.id))
    assert ([charge.entry for charge in of_entry.charges], of_entry.free) == ([debit.id], ())
    nobody = explain_tokens(ledger, waiting, sessions, READING, replace(whole, user="petr"))
    assert (nobody.charges, nobody.free) == ((), ())
