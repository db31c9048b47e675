"""What reading commands ask of the store: they open it once and read the log, the ledger and the contract once."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Final, cast

import pytest

from pipeline.application.orders.close_quarter import close_quarter
from pipeline.application.orders.place_order import Issue
from pipeline.cli.command_registry import CommandModule
from pipeline.model.instants import Period
from pipeline.model.orders import Void
from pipeline.rules.evidence.merge import fold
from pipeline.rules.statement.closes import Closed
from pipeline.store import opening
from pipeline.store.client import Client
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.store.counting_client import CountingClient
from tests.support.store.ordering_account import OrderingAccount
from tests.support.store.written_facts import write_session_days

RECORDS: Final = ("commands", "ledger_log", "contracts", "completeness")
"""The tables of which an ``AccountView`` reads each at most once."""

OPEN: Final = "2022Q2"
CLOSED: Final = "2022Q1"

QUESTIONS: Final = [
    ("statement", "--period", OPEN),
    ("statement", "--period", CLOSED),
    ("explain", "--period", OPEN, "--line", "MSTN"),
    ("explain", "--period", OPEN, "--line", "ACD"),
    ("explain", "--product", "MSTN", "--slot", "2022-05-03T15:10:00Z"),
    ("usage",),
    ("silent",),
    ("audit", "--period", OPEN),
    ("commands",),
    ("dispute", "--period", OPEN, "--product", "MSTN"),
    ("dispute", "list"),
    ("tokens", "balance"),
    ("tokens", "ledger"),
    ("tokens", "explain"),
    ("tokens", "forecast"),
]


@pytest.fixture(scope="module")
def account(store: Client) -> OrderingAccount:
    """Over-use in two quarters of which the first is closed, use that is charged in tokens, and an order."""
    ordering = OrderingAccount(store)
    uses = [
        heartbeat(
            instant(f"2022-{month:02}-03 15:01"), instant(f"2022-{month:02}-03 15:42"),
            account=ordering.account, product=product, machine=f"pc{number}", session=f"{product} {month} {number}",
            active_at=instant(f"2022-{month:02}-03 15:01"),
        )
        for month in (2, 5)
        for number in range(3)
        for product in ("MSTN", "ACD")
    ]  # fmt: skip
    write_session_days(store, fold(uses))
    view = ordering.view()
    issue = Issue("close", "jana", ordering.now())
    assert isinstance(close_quarter(view, Period.parse(CLOSED), issue, ordering.poster, is_forced=True), Closed)
    void = Void("a test", machine="pc9", from_at=instant("2022-01-01 00:00"), until_at=instant("2022-06-01 00:00"))
    ordering.place(void, "void")
    return ordering


def questions(
    account: OrderingAccount, monkeypatch: pytest.MonkeyPatch, folder: Path, arguments: tuple[str, ...]
) -> CountingClient:
    """The client that a command asked; it is asserted that the command succeeded and opened the store once."""
    client, opened = CountingClient(account.store), list[str]()

    def connect(dsn: str) -> CountingClient:
        opened.append(dsn)
        return client

    monkeypatch.setattr(opening, "connect", connect)
    (folder / "metadata").mkdir()
    parser = argparse.ArgumentParser()
    module = cast(CommandModule, import_module(f"pipeline.cli.commands.{arguments[0]}"))
    module.add_parser(parser.add_subparsers())
    args = parser.parse_args([*arguments, "--data-dir", str(folder), "--account", account.account])
    assert args.run(args) == 0
    assert len(opened) == 1
    return client


@pytest.mark.parametrize("arguments", QUESTIONS, ids=" ".join)
def test_a_command_opens_the_store_once_and_reads_each_record_of_the_account_once(
    account: OrderingAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    client = questions(account, monkeypatch, tmp_path, arguments)
    asked = {table: client.questions[table] for table in RECORDS}
    assert max(asked.values()) == asked["contracts"] == 1, asked


def test_a_quarter_closed_under_another_contract_needs_that_version_once_too(
    account: OrderingAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account.apply(quantity=2)
    client = questions(account, monkeypatch, tmp_path, ("explain", "--period", CLOSED, "--line", "MSTN"))
    assert (client.questions["commands"], client.questions["contracts"]) == (1, 2)
