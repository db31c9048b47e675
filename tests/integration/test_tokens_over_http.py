"""Tokens on ClickHouse's HTTP interface: the same settlement, explanation and audit as on the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.tokens.token_reading import accounts_with_tokens
from pipeline.application.tokens.token_settlement import settle_stored
from pipeline.cli.main import main
from pipeline.codec.contract.examination import read_contract
from pipeline.model.addresses import DSN_VARIABLE
from pipeline.model.contracts import TokenPack
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS
from pipeline.model.orders import Assign, BuyTokens, Command, CreditTokens, Order, Void
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.ledger import entry_id
from pipeline.store.client import Client, connect
from pipeline.store.contract_versions import store_contract, store_policies
from pipeline.store.facts import write_completeness
from pipeline.store.migrations import migrate
from pipeline.store.order_log import PlacedCommand, write_commands
from tests.support.clickhouse.server import ClickhouseSeam
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.store.empty_stores import address_of, new_account
from tests.support.store.written_facts import write_session_days

MONDAY = instant("2022-05-02 08:00")
NOW = instant("2022-07-02 00:00")
CONTRACT = """\
account: {account}
country: CZ
currency: EUR
products:
  ACD: {{}}
entitlements:
  - {{product: ACD, model: flex, daily_rate: 7, from: 2022-01-01}}
  - {{product: ACD, model: single_user, policy: autodesk-flex, quantity: 1, from: 2022-01-01}}
token_packs:
  - {{id: P1, tokens: 500, purchased_at: 2022-01-10, price: "1500.00"}}
"""
USERS = ("eva", "o'brien", 'petr "\\ž"', "zoe")


@pytest.fixture
def over_http(tmp_path: Path) -> Iterator[str]:
    with ClickhouseSeam(tmp_path / "data") as seam, closing(connect(seam.dsn)) as client:
        migrate(client)
        store_policies(client, metering_catalogue())
        yield seam.dsn


def use(account: str) -> list[Heartbeat]:
    """Four users on ten days; every third session is short enough to be free."""
    heartbeats = []
    for number, user in enumerate(USERS):
        for day in range(10):
            at = MONDAY + day * DAY_MS + number * HOUR_MS
            until = at + (4 * MINUTE_MS if (day + number) % 3 == 0 else HOUR_MS)
            heartbeats.append(heartbeat(at, until, account=account, product="ACD", user=user, session=f"{user}-{day}"))
    return heartbeats


def orders(account: str) -> list[Order]:
    """A seat for Eva, a purchase, a void of Zoe's first week, and a credit of the first debit."""
    reversed_ = entry_id(account, "debit", "ACD", "CZ", "o'brien", MONDAY + HOUR_MS)
    return [
        Assign("ACD", "CZ", "eva", MONDAY + DAY_MS, model="single_user"),
        BuyTokens((TokenPack("PO-1", "PO-1", "default", 40, MONDAY, 12_000),)),
        Void("training", user="zoe", from_at=MONDAY, until_at=MONDAY + 5 * DAY_MS),
        CreditTokens("default", 3, "outage", reversed_),
    ]


def settle(client: Client, account: str) -> None:
    """Store contract, evidence and orders, and settle; the credit is ordered after the first debit."""
    body = CONTRACT.format(account=account).encode()
    contract = read_contract(account, body)
    store_contract(client, contract, body, MONDAY)
    write_session_days(client, fold(use(account)))
    write_completeness(client, account, "main", MONDAY + 8 * DAY_MS)
    placed = [
        PlacedCommand(
            Command(f"o{number}", account, "jana", MONDAY + DAY_MS, order), "main", "commands", 0, number, NOW
        )
        for number, order in enumerate(orders(account))
    ]
    for part in (placed[:-1], placed[-1:]):
        write_commands(client, part)
        settle_stored(AccountView.of(client, ContractReading(contract, metering_catalogue()), "server"), now=NOW)


def test_tokens_over_http_equal_those_of_the_embedded_engine(
    store: Client, over_http: str, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    account = new_account()
    answers: list[dict[str, Any]] = []
    for dsn in (address_of(store), over_http):
        with closing(connect(dsn)) as client:
            settle(client, account)
            assert account in accounts_with_tokens(client)
        monkeypatch.setenv(DSN_VARIABLE, dsn)
        outputs: dict[str, Any] = {}
        for asked in (
            "tokens balance", "tokens ledger", "tokens explain", "tokens forecast", "audit --period 2022Q2",
            "statement --period 2022Q2",
        ):  # fmt: skip
            assert main([*asked.split(), "--account", account, "--output", "json"]) == 0
            outputs[asked] = orjson.loads(capsysbinary.readouterr().out)
        basis = outputs["statement --period 2022Q2"]["basis"]
        del basis["engine"], basis["dead_letters"]  # counts letters of other tests, too
        answers.append(outputs)
    embedded, server = answers
    assert server == embedded
    assert embedded["audit --period 2022Q2"]["differences"] == []
    kinds = [entry["kind"] for entry in embedded["tokens ledger"]]
    assert {"grant", "debit", "credit", "settled"} == {*kinds}
    assert kinds.count("debit") == len(embedded["tokens explain"]["charges"]) - embedded_open(embedded) > 10
    assert embedded["tokens explain"]["free"]


def embedded_open(outputs: dict[str, Any]) -> int:
    """The number of charges that are not settled yet."""
    return sum(charge["entry"] is None for charge in outputs["tokens explain"]["charges"])
