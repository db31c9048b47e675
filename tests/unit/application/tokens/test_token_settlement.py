"""Token charges from the stored evidence are settled once, in whatever order it was stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.application.tokens.token_reading import accounts_with_tokens
from pipeline.application.tokens.token_settlement import settle_input, with_tokens
from pipeline.codec.contract.examination import read_contract
from pipeline.model.contracts import Contract, Entitlement, Product, TokenPack
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import DAY_MS, HOUR_MS, Period
from pipeline.model.orders import BuyTokens, Command
from pipeline.model.statements import FlexLine, TokenBlock
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.order_log import PlacedCommand, write_commands
from pipeline.store.postings import read_postings
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_session_days

pytestmark = pytest.mark.slow

MONDAY = instant("2022-05-02 08:00")
NOW = instant("2022-07-02 00:00")


def contract(account: str) -> ContractReading:
    flex = Entitlement(("ACD",), "CZ", "flex", "autodesk-flex", 0, MONDAY - 90 * DAY_MS, None, daily_rate=7)
    pack = TokenPack("P", "", "default", 100, MONDAY - 60 * DAY_MS, None)
    written = Contract(
        account, "CZ", "EUR", "", products={"ACD": Product("ACD")}, entitlements=(flex,), token_packs=(pack,)
    )
    return ContractReading(written, metering_catalogue())


def use(account: str) -> list[Heartbeat]:
    """Three users over some days of two months; the last of them all day long."""
    heartbeats = []
    for number, user in enumerate(("eva", "petr", "zoe")):
        for day in range(0, 40, 13):
            at = MONDAY + day * DAY_MS + number * HOUR_MS
            until = at + (30 if user == "zoe" else 1) * HOUR_MS
            heartbeats.append(heartbeat(at, until, account=account, product="ACD", user=user, session=f"{user}-{day}"))
    return heartbeats


def charged(store: Client, account: str) -> tuple[list[FlexLine], TokenBlock | None]:
    reading = contract(account)
    view = AccountView.of(store, reading)
    whole = with_tokens(computed_statement(view, Period.parse("2022Q2")), view, now=NOW)
    return [line for line in whole.lines if isinstance(line, FlexLine)], whole.tokens


def test_evidence_in_any_order_gives_the_same_flex_lines_and_tokens(store: Client) -> None:
    outcomes = []
    for step in (1, -1):
        account = new_account()
        evidence = use(account)
        for part in range(3):
            write_session_days(store, fold(evidence[part::3][::step]))
        if step == -1:
            write_session_days(store, fold(evidence))
        settle_input(AccountView.of(store, contract(account)), now=NOW, complete_until=NOW)
        outcomes.append(charged(store, account))
    assert outcomes[0] == outcomes[1]
    ((line,), block) = outcomes[0]
    assert (line.charges, line.tokens, line.uncovered) == (16, 100, 12)
    assert block == TokenBlock(granted=100, debited=100, expired=0, balance=0)


def test_settling_again_posts_nothing_new(store: Client) -> None:
    account = new_account()
    write_session_days(store, fold(use(account)))
    settle_input(AccountView.of(store, contract(account)), now=NOW, complete_until=NOW)
    first = read_postings(store, account)
    settle_input(AccountView.of(store, contract(account)), now=NOW, complete_until=NOW)
    assert first
    assert read_postings(store, account) == first


def test_an_account_without_tokens_has_no_ledger(store: Client) -> None:
    account = new_account()
    reading = contract(account)
    none = ContractReading(replace(reading.contract, entitlements=(), token_packs=()), metering_catalogue())
    view = AccountView.of(store, none)
    settle_input(view, now=NOW, complete_until=NOW)
    assert read_postings(store, account) == []
    statement = computed_statement(view, Period.parse("2022Q2"))
    assert with_tokens(statement, view, now=NOW) == statement


POOLED = """\
account: {account}
country: CZ
currency: EUR
products:
  ACD: {{}}
entitlements:
  - {{product: ACD, model: pooled, policy: bentley-select, quantity: 1, from: 2022-01-01}}
"""
FLEX = POOLED.replace("model: pooled, policy: bentley-select, quantity: 1", "model: flex, daily_rate: 7")


def apply_contract(store: Client, account: str, text: str) -> None:
    body = text.format(account=account).encode()
    store_contract(store, read_contract(account, body), body, NOW)


def buy(store: Client, account: str) -> None:
    order = BuyTokens((TokenPack("P", "", "default", 5, MONDAY, None),))
    write_commands(
        store, [PlacedCommand(Command("b1", account, "jana", MONDAY, order), "main", "commands", 0, 1, MONDAY)]
    )


def test_settlement_covers_accounts_with_flex_contracts_with_token_orders_and_with_ledgers(store: Client) -> None:
    by_contract, ordered, waiting, pooled, posted = (new_account() for _ in range(5))
    for account, text in ((by_contract, FLEX), (ordered, POOLED), (pooled, POOLED)):
        apply_contract(store, account, text)
    for account in (ordered, waiting):
        buy(store, account)
    settle_input(AccountView.of(store, contract(posted)), now=NOW, complete_until=NOW)
    accounts = accounts_with_tokens(store)
    assert {by_contract, ordered, posted} <= {*accounts}
    assert not {waiting, pooled} & {*accounts}, "without a contract, or without tokens, there is nothing to post"
    apply_contract(store, waiting, POOLED)
    assert waiting in accounts_with_tokens(store), "the purchase counts once there is a contract"


def test_an_invalid_stored_contract_does_not_stop_the_settlement_of_other_accounts(store: Client) -> None:
    broken, sound = new_account(), new_account()
    for account in (broken, sound):
        apply_contract(store, account, FLEX)
    body = FLEX.format(account=broken).replace("daily_rate: 7", "daily_rate: 0").encode()
    store_contract(store, replace(contract(broken).contract, content_hash="sha256:broken"), body, NOW + 1)
    accounts = accounts_with_tokens(store)
    assert sound in accounts
    assert broken not in accounts
