"""A worker that must end, ends: by a signal while it hangs, or after a failure that its event loop never notices."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from pipeline.embedded.broker import EmbeddedBroker
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import HEARTBEATS, create_topics, topics
from tests.support.process.seatbeat_process import ended, read_line, running

_numbers: Final = itertools.count(1)
LAST_RESORT: Final = "and not gone 1 s later: left with status "


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """A broker with the topics, and something to meter."""

    async def prepare(bootstrap: str) -> None:
        await create_topics(bootstrap, topics("embedded"), with_config=False)
        producer = Producer(bootstrap, idempotent=False)
        await producer.start()
        await producer.write([Outgoing(HEARTBEATS, None, b"{}")])
        await producer.stop()

    with asyncio.Runner() as runner:
        embedded = runner.run(EmbeddedBroker().__aenter__())
        try:
            runner.run(prepare(embedded.bootstrap))
            yield embedded.bootstrap
        finally:
            runner.run(embedded.__aexit__(None, None, None))


@pytest.fixture(autouse=True)
def _hangups_arrive() -> Iterator[None]:
    """Even if ``nohup`` started the tests: a child inherits an ignored SIGHUP, but not a handler."""
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, before)


@contextmanager
def faulty(fault: str, broker: str, temporary: Path, end_s: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "SEATBEAT_KAFKA_BOOTSTRAP": broker, "SEATBEAT_APP_ID": f"ends-{next(_numbers)}", "SEATBEAT_HEALTH_ADDRESS": "",
        "SEATBEAT_TOPICS": "embedded", "SEATBEAT_SESSION_TIMEOUT_S": "6", "SEATBEAT_REBALANCE_TIMEOUT_S": "6",
        "SEATBEAT_COMMIT_INTERVAL_MS": "50", "SEATBEAT_FETCH_WAIT_MS": "50", "SEATBEAT_END_S": str(end_s),
    }  # fmt: skip
    command = (sys.executable, "-m", "tests.support.process.faulty_worker", fault)
    with running(command, temporary=temporary, environment=environment) as process:
        assert read_line(process) == b"started\n"
        yield process


def test_a_worker_whose_event_loop_is_blocked_is_gone_after_a_signal(broker: str, tmp_path: Path) -> None:
    with faulty("blocked", broker, tmp_path, end_s=1) as process:
        process.send_signal(signal.SIGTERM)
        outcome = ended(process)
    assert outcome.status == 0
    assert f"seatbeat: told to end by SIGTERM, {LAST_RESORT}0, hanging in\n" in outcome.err
    assert "in blocked\n" in outcome.err


def test_a_worker_whose_commit_is_refused_stops_in_order_and_fails(broker: str, tmp_path: Path) -> None:
    with faulty("refused", broker, tmp_path, end_s=60) as process:
        outcome = ended(process)
    assert outcome.status == 1
    assert "seatbeat: an agent failed: CommitFailedError(" in outcome.err
    assert "not gone" not in outcome.err


def test_a_worker_whose_consumer_ends_by_itself_stops_in_order_and_fails(broker: str, tmp_path: Path) -> None:
    with faulty("ended", broker, tmp_path, end_s=60) as process:
        outcome = ended(process)
    assert outcome.status == 1
    assert "seatbeat: an agent failed: ConsumerThreadEnded(" in outcome.err
    assert "not gone" not in outcome.err


def test_a_worker_that_fails_while_its_event_loop_is_blocked_is_gone_as_failed(broker: str, tmp_path: Path) -> None:
    with faulty("stuck", broker, tmp_path, end_s=1) as process:
        outcome = ended(process)
    assert outcome.status == 1
    assert f"seatbeat: failed with ConsumerThreadEnded, {LAST_RESORT}1, hanging in\n" in outcome.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_that_gets_a_signal_stops_in_order(number: signal.Signals, broker: str, tmp_path: Path) -> None:
    with faulty("healthy", broker, tmp_path, end_s=60) as process:
        process.send_signal(number)
        outcome = ended(process)
    assert outcome.status == 0
    assert "not gone" not in outcome.err
