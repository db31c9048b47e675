"""``seatbeat tokens``: what it refuses before it opens a store, and that a purchase opens the store once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli import post_options
from pipeline.cli.commands import tokens
from pipeline.model.errors import InputError
from pipeline.store import opening
from pipeline.store.client import Client
from tests.support.store.counting_client import CountingClient
from tests.support.store.ordering_account import OrderingAccount


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    tokens.add_parser(parser.add_subparsers())
    args = parser.parse_args(["tokens", *arguments])
    declared: Callable[[argparse.Namespace], int] = args.run
    return declared(args)


@pytest.mark.parametrize(
    ("arguments", "place", "code"),
    [
        (("buy", "--tokens", "0"), "--tokens", "no_tokens"),
        (("buy", "--tokens", "-5"), "--tokens", "no_tokens"),
        (("buy", "--tokens", "5", "--packs", "5", "0"), "--packs", "no_tokens"),
        (("buy", "--tokens", "500", "--packs", "200", "200"), "--packs", "no_sum"),
        (("credit", "--tokens", "0", "--reason", "x"), "--tokens", "no_tokens"),
        (("buy", "--tokens", "5", "--id", "b1"), "--purchased-at", "is not given"),
        (("ledger", "--from", "2022-07-01", "--until", "2022-06-01"), "--until", "is not after --from"),
        (("explain", "--entry", "e", "--user", "eva"), "--entry", "goes with nothing else"),
        (("explain", "--entry", "e", "--from", "2022-06-01"), "--entry", "goes with nothing else"),
    ],
)
def test_bad_requests_are_refused_with_place_code_and_remedy(arguments: tuple[str, ...], place: str, code: str) -> None:
    with pytest.raises(InputError, match=code) as refused:
        run(*arguments, "--data-dir", "nowhere")
    assert str(refused.value).startswith(f"{place}: ")
    assert refused.value.remedy


def test_a_purchase_opens_the_store_once_and_reads_the_orders_and_the_ledger_once(
    store: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account, client, opened = OrderingAccount(store), CountingClient(store), list[str]()

    def connect(dsn: str) -> CountingClient:
        opened.append(dsn)
        return client

    monkeypatch.setattr(opening, "connect", connect)
    monkeypatch.setattr(post_options, "quiet_logs", lambda: None)
    (tmp_path / "metadata").mkdir()
    bought = ("--tokens", "900", "--packs", "300", "600", "--purchase", "PO-77", "--price", "1000.00", "--id", "b")
    where = ("--data-dir", str(tmp_path), "--account", account.account)
    assert run("buy", *bought, "--purchased-at", "2022-06-19", *where) == 0
    assert opened == [f"chdb://{tmp_path.resolve()}"]
    asked = {table: client.questions[table] for table in ("commands", "ledger_log", "contracts", "completeness")}
    assert asked == dict.fromkeys(asked, 1)
    assert account.view().ledger.teams["default"].balance == 1_000
