"""A worker that cannot start says so in one line of its log, which names the variable and the address."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from tests.support.process.seatbeat_process import Ended, seatbeat

AWAY = "127.0.0.1:1"
"""Nothing listens there: the port is reserved."""


def worker(temporary: Path, environment: Mapping[str, str], role: str = "meter") -> Ended:
    return seatbeat("worker", role, temporary=temporary, environment={"SEATBEAT_HEALTH_ADDRESS": "", **environment})


def only_message(ended: Ended) -> str:
    """The message of the only line on stderr, which is JSON."""
    assert ended.out == b""
    (line,) = ended.err.splitlines()
    record = orjson.loads(line)
    assert record["level"] == "error"
    return str(record["message"])


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("SEATBEAT_KAFKA_BOOTSTRAP", "broker:port", "'broker:port' is not host:port"),
        ("SEATBEAT_CLICKHOUSE_DSN", "postgres://me:hunter2@db:5432/a", "'…@db:5432/a' is no address of ClickHouse"),
        ("SEATBEAT_HEALTH_ADDRESS", "127.0.0.1", "'127.0.0.1' names no port"),
        ("SEATBEAT_STALL_S", "soon", "is 'soon'"),
        ("SEATBEAT_STAL_S", "120", "is not a setting"),
    ],
)
def test_a_wrong_setting_ends_a_worker_with_status_2(tmp_path: Path, variable: str, value: str, shown: str) -> None:
    ended = worker(tmp_path, {variable: value})
    assert ended.status == 2
    assert only_message(ended).startswith(f"{variable}: {shown}")
    assert "hunter2" not in ended.err


def test_a_worker_without_a_broker_names_its_address(tmp_path: Path) -> None:
    ended = worker(tmp_path, {"SEATBEAT_KAFKA_BOOTSTRAP": f"{AWAY}, nohost.invalid:9092"})
    assert ended.status == 1
    message = only_message(ended)
    assert message.startswith(
        f"SEATBEAT_KAFKA_BOOTSTRAP: {AWAY} did not answer: Connection refused; nohost.invalid:9092"
    )
    assert message.endswith(". Check the addresses, and that the broker runs")


def test_a_worker_whose_health_address_is_taken_names_it(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = worker(tmp_path, {"SEATBEAT_HEALTH_ADDRESS": address, "SEATBEAT_KAFKA_BOOTSTRAP": AWAY})
    assert ended.status == 1
    assert only_message(ended).startswith(
        f"SEATBEAT_HEALTH_ADDRESS: cannot listen at {address}: Address already in use. "
    )


def test_a_worker_without_a_store_names_its_address_without_the_password(bootstrap: str, tmp_path: Path) -> None:
    environment = {
        "SEATBEAT_KAFKA_BOOTSTRAP": bootstrap, "SEATBEAT_CLICKHOUSE_DSN": f"clickhouse://me:hunter2@{AWAY}/a?verify=no",
    }  # fmt: skip
    ended = worker(tmp_path, environment, role="quarantine")
    assert ended.status == 1
    assert only_message(ended).startswith(
        f"SEATBEAT_CLICKHOUSE_DSN: clickhouse://me:…@{AWAY}/a?verify=… did not open: Connection refused. "
    )
