"""Opening a store: what is said where it does not open, without secrets and in our words."""

from __future__ import annotations

import os
from pathlib import Path

import clickhouse_connect
import pytest

from pipeline.model.errors import InputError
from pipeline.store import client as store_client
from pipeline.store.client import StoreUnreachable, connect

AWAY = "127.0.0.1:1"
"""Nothing listens there: the port is reserved."""


def unreachable(dsn: str) -> StoreUnreachable:
    with pytest.raises(StoreUnreachable) as raised:
        connect(dsn)
    return raised.value


def engine_fails(monkeypatch: pytest.MonkeyPatch, error: Exception, cause: Exception | None = None) -> None:
    def get_client(**_: object) -> None:
        raise error from cause

    monkeypatch.setattr(clickhouse_connect, "get_client", get_client)


def test_a_server_that_is_away_is_named_with_the_systems_reason(caplog: pytest.LogCaptureFixture) -> None:
    error = unreachable(f"clickhouse://me:hunter2@{AWAY}/a?access_token=&connect_timeout=3")
    shown = f"clickhouse://me:…@{AWAY}/a?access_token=…&connect_timeout=…"
    assert (error.place, error.reason) == (shown, "did not open: Connection refused")
    assert error.remedy.startswith("Check the address")
    assert caplog.records == []


def test_what_the_library_says_is_passed_on_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    engine_fails(monkeypatch, RuntimeError("no way to hunter2 by way of proxy://hunter3\nand more"))
    error = unreachable("clickhouse://me:hunter2@db/a?http_proxy=proxy://hunter3")
    assert error.reason == "did not open: no way to … by way of …"


def test_what_is_no_address_opens_nothing() -> None:
    with pytest.raises(InputError, match="does not say which kind of store"):
        connect("127.0.0.1:8123/default")


def test_an_engine_that_is_absent_is_told_from_one_that_does_not_load(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine_fails(monkeypatch, ImportError("engine not there"), ImportError("libc is too old"))
    assert unreachable(f"chdb://{tmp_path}").reason == (
        "needs the embedded engine, which cannot be loaded: libc is too old"
    )
    monkeypatch.setattr(store_client, "find_spec", lambda _: None)
    error = unreachable(f"chdb://{tmp_path}")
    assert error.reason == "needs the embedded engine, which is not installed"
    assert "pip install 'seatbeat[embedded]'" in error.remedy


@pytest.mark.parametrize("zone", [None, "", "CET-1CEST"])
def test_the_time_zone_is_utc_only_while_the_engine_loads(
    zone: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[str | None] = []

    def get_client(**_: object) -> object:
        seen.append(os.environ.get("TZ"))
        return object()

    monkeypatch.setattr(clickhouse_connect, "get_client", get_client)
    if zone is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", zone)
    connect(f"chdb://{tmp_path}")
    assert (seen, os.environ.get("TZ")) == (["UTC"], zone)
