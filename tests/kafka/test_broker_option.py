"""The option ``--broker``: it selects the Kafka of the tests, which ends with them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.broker.apache import available
from tests.support.process.processes import ROOT

ASKS = """
import asyncio
from aiokafka.client import AIOKafkaClient

async def brokers(address):
    client = AIOKafkaClient(bootstrap_servers=address)
    await client.bootstrap()
    await client.close()
    return len(client.cluster.brokers())

def test_one(bootstrap, broker_kind, prefix):
    assert asyncio.run(brokers(bootstrap)) == 1
    print(f"<{broker_kind} {bootstrap} {prefix}>")

def test_two(bootstrap, broker_kind, prefix):
    print(f"<{broker_kind} {bootstrap} {prefix}>")
"""


def run(folder: Path, broker: str) -> subprocess.CompletedProcess[str]:
    asks = folder / "test_asks.py"
    asks.write_text(ASKS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-s",
        "-p",
        "tests.support.broker.brokers",
        "-p",
        "no:cacheprovider",
    ]
    where = ["--rootdir", str(folder), "-c", os.devnull, str(asks)]
    return subprocess.run(
        [*command, *where, f"--broker={broker}"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def values_of(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    assert done.returncode == 0, done.stdout + done.stderr
    return [part.split(">")[0].split() for part in done.stdout.split("<")[1:]]


@pytest.mark.parametrize(
    "kind",
    ["embedded", pytest.param("apache", marks=pytest.mark.skipif(not available(), reason=available().reason))],
)
def test_a_run_has_a_broker_of_the_requested_kind_and_each_test_a_prefix(tmp_path: Path, kind: str) -> None:
    (first_kind, first, first_prefix), (second_kind, second, second_prefix) = values_of(run(tmp_path, kind))
    assert first_kind == second_kind == kind
    assert first == second
    assert first_prefix != second_prefix
    assert first_prefix.endswith("-test-one-")


def test_an_unknown_broker_is_refused_with_the_choices(tmp_path: Path) -> None:
    done = run(tmp_path, "kafak")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--broker" in done.stderr
    assert "HOST:PORT" in done.stderr


STARTS = """
import sys, tempfile
from pathlib import Path
from tests.support.broker.apache import ApacheKafka
with ApacheKafka(Path(sys.argv[1])) as kafka:
    print(kafka._nodes[1].process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not available(), reason=available().reason)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_brokers_end_with_a_killed_run(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run_killed:
        assert run_killed.stdout is not None
        broker = int(run_killed.stdout.readline())
        gone = os.pidfd_open(broker)
        run_killed.send_signal(signal.SIGKILL)
    ended, _, _ = select.select([gone], [], [], 30)
    os.close(gone)
    assert ended
