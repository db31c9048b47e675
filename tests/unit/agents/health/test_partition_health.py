"""A worker's health: progress on partitions with lag, and a reachable store."""

from __future__ import annotations

import asyncio
import re

from aiohttp import ClientSession

from pipeline.agents.health.metrics import METRIC_NAMES, Metrics
from pipeline.agents.health.monitor import Monitor, serve_health
from pipeline.agents.health.partition_health import Health, PartitionState

STALL_MS = 60_000
USAGE_0 = ("usage", 0)
USAGE_1 = ("usage", 1)


def saw(health: Health, now: int, **committed: int) -> None:
    ends = {"a": USAGE_0, "b": USAGE_1}
    health.saw("sink", {ends[name]: PartitionState(offset, 100) for name, offset in committed.items()}, now)


def test_a_partition_with_lag_that_moves_is_healthy() -> None:
    health = Health(("sink",), STALL_MS)
    for step in range(10):
        saw(health, step * STALL_MS, a=step)
    assert health.problems(9 * STALL_MS) == ()


def test_a_partition_with_lag_that_stands_still_is_named_after_the_stall_time() -> None:
    health = Health(("sink",), STALL_MS)
    for now in (0, STALL_MS, STALL_MS + 1):
        saw(health, now, a=5)
    assert health.problems(STALL_MS) == ()
    assert health.problems(STALL_MS + 1) == ("sink: usage/0 has 95 messages to work off and has not moved for 60 s",)


def test_a_stalled_partition_is_not_hidden_by_a_moving_one() -> None:
    health = Health(("sink",), STALL_MS)
    saw(health, 0, a=5, b=0)
    saw(health, 2 * STALL_MS, a=5, b=50)
    assert len(health.problems(2 * STALL_MS)) == 1


def test_the_stall_time_of_a_partition_starts_with_its_first_lag() -> None:
    health = Health(("sink",), STALL_MS)
    saw(health, 0, a=100)
    saw(health, 100 * STALL_MS, a=100)
    assert health.problems(100 * STALL_MS) == ()
    health.saw("sink", {USAGE_0: PartitionState(100, 101)}, 100 * STALL_MS)
    assert health.problems(100 * STALL_MS + STALL_MS) == ()
    assert len(health.problems(101 * STALL_MS + 1)) == 1


def test_a_revoked_partition_is_forgotten() -> None:
    health = Health(("sink",), STALL_MS)
    saw(health, 0, a=5)
    health.saw("sink", {}, 1)
    assert health.problems(10 * STALL_MS) == ()


def test_a_worker_without_its_store_is_alive_but_not_ready() -> None:
    health = Health(("sink",), STALL_MS)
    saw(health, 0, a=5)
    health.store_answered("OperationalError", 1)
    assert health.problems(10 * STALL_MS) == ()
    assert health.not_ready() == ("store: OperationalError",)


def test_the_stall_time_starts_anew_when_the_store_is_back() -> None:
    health = Health(("sink",), STALL_MS)
    saw(health, 0, a=5)
    health.store_answered("OperationalError", 1)
    health.store_answered(None, 10 * STALL_MS)
    assert health.not_ready() == ()
    health.store_answered(None, 11 * STALL_MS)
    assert health.problems(11 * STALL_MS) == ()
    assert len(health.problems(11 * STALL_MS + 1)) == 1


def test_a_worker_is_not_ready_before_every_role_has_partitions() -> None:
    health = Health(("meter", "sink"), STALL_MS)
    saw(health, 0, a=0)
    assert health.not_ready() == ("meter: no partitions are assigned",)


def test_every_metric_of_the_closed_list_is_exposed_and_no_other() -> None:
    metrics = Metrics()
    metrics.checkpointed("meter", 3, 0.2)
    metrics.judged(5, {"bad_json": 2})
    metrics.lag("meter", "heartbeats", 0, 7)
    metrics.freshness("meter", 1.5)
    metrics.store_error("OperationalError")
    metrics.quarantined(1)
    text = metrics.exposition().decode()
    exposed = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    assert {name for name in exposed if not name.endswith("_created")} == set(METRIC_NAMES)
    assert 'seatbeat_heartbeats_total{outcome="invalid"} 2.0' in text
    assert 'seatbeat_lag_messages{partition="0",role="meter",topic="heartbeats"} 7.0' in text


def test_health_is_served_over_http_with_the_reasons() -> None:
    async def scenario() -> None:
        monitor = Monitor(("sink",), STALL_MS, lambda: 2 * STALL_MS)
        runner = await serve_health(monitor, "127.0.0.1:0")
        port = runner.addresses[0][1]
        async with ClientSession(f"http://127.0.0.1:{port}") as browser:
            async with browser.get("/healthz") as answer:
                assert (answer.status, await answer.text()) == (200, "ok\n")
            async with browser.get("/readyz") as answer:
                assert (answer.status, await answer.text()) == (503, "sink: no partitions are assigned\n")
            monitor.health.saw("sink", {USAGE_0: PartitionState(0, 1)}, 0)
            async with browser.get("/healthz") as answer:
                assert answer.status == 503
            async with browser.get("/metrics") as answer:
                assert (await answer.text()).startswith("# HELP seatbeat_")
        await runner.cleanup()

    asyncio.run(scenario())
