"""``seatbeat settings`` shows every value, and no secret."""

from __future__ import annotations

import argparse

import pytest

from pipeline.cli.commands import show_settings


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("clickhouse://me:hunter2@db:8123/a", "clickhouse://me:…@db:8123/a"),
        ("clickhouse://me:hunt/er2@hunter2@db:8123/a", "clickhouse://me:…@db:8123/a"),
        ("clickhouse://db:8123/a?password=hunter2", "clickhouse://db:8123/a"),
        ("clickhouse://db:8123/a?http_proxy=http://me:hunter2@p:1", "clickhouse://db:8123/a?http_proxy=…"),
        ("clickhouse://[2001:db8::1]:8123/a", "clickhouse://[2001:db8::1]:8123/a"),
    ],
)
def test_the_store_is_shown_without_what_is_secret(
    dsn: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEATBEAT_CLICKHOUSE_DSN", dsn)
    monkeypatch.setenv("SEATBEAT_KAFKA_BOOTSTRAP", "[::1]:9093")
    assert show_settings.run(argparse.Namespace()) == 0
    text = capsys.readouterr().out
    assert f" {shown} " in text
    assert " [::1]:9093 " in text
    assert "hunter" not in text
