"""A worker restarted amid a million open sessions: from the start of its process until each role has done new work.

The process is ``seatbeat worker meter sink seats``, stopped and started again while heartbeats wait. A role is at work
when its group has committed the waiting messages: the meter the heartbeats, sink and seats the usage made of them. The
meter and the sink keep no state, so open sessions cost them nothing. Live counts are a cache: they take in new usage at
once, and log when they contain everything that was open, too.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from pathlib import Path
from subprocess import Popen
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.kafka.topics import HEARTBEATS, USAGE, topic
from pipeline.model.instants import day_of
from tests.bench.bench import Bench
from tests.bench.fleet import FIRST_DAY_AT
from tests.bench.jobs import JobFailed, ours
from tests.bench.worlds import World, load_frames, world
from tests.support.process.processes import ROOT, end, spawn

ROLES: Final = ("meter", "sink", "seats")
READS: Final = {"meter": HEARTBEATS, "sink": USAGE, "seats": USAGE}
RESTARTS: Final = 2
AT_WORK_S_MAX: Final = 90.0
WHOLE: Final = b"live counts are whole"
_POLL_S: Final = 0.02


def run(bench: Bench) -> None:
    sizes = bench.sizes
    with world(bench.folder, "restart") as where:
        if where.stage == "embedded":
            bench.results.note("restart", "a worker's idempotent producer needs Apache Kafka")
            return
        store = bench.new_store(where)
        day = day_of(FIRST_DAY_AT)
        ours("open_sessions", where.folder, store=store, sessions=sizes.open_sessions, day=day).answer()
        for number in range(1 + min(RESTARTS, sizes.repetitions)):
            load_frames(where, sizes.fleet, sizes.fleet.sessions, start=number * sizes.fleet.accounts)
            _restart(bench, where, store, judged=number > 0)


def _restart(bench: Bench, where: World, store: str, *, judged: bool) -> None:
    """The first start only creates the groups."""
    log = where.folder / f"worker-{time.monotonic_ns()}.log"
    started_s = time.monotonic()
    process = _start(where, store, log)
    try:
        at_work_s = asyncio.run(asyncio.wait_for(_at_work(where, process, log), AT_WORK_S_MAX)) - started_s
        whole_s = _whole(process, log) - started_s
        resident_pages = int(Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1])
        process.terminate()
        process.wait(AT_WORK_S_MAX)
    finally:
        end(process)
    if judged:
        bench.results.figure("restart_s", at_work_s)
        bench.results.figure("seats_whole_s", whole_s)
        bench.results.figure("seats_whole_mib", resident_pages * 4096 / 1024 / 1024)


def _start(where: World, store: str, log: Path) -> Popen[bytes]:
    settings = {
        "kafka_bootstrap": where.bootstrap, "clickhouse_dsn": store, "app_id": "restart", "log_id": "restart",
        "topics": where.stage, "sink_checkpoint_ms": 1_000, "commit_interval_ms": 200, "health_address": "",
    }  # fmt: skip
    environment = os.environ | {f"SEATBEAT_{name.upper()}": str(value) for name, value in settings.items()}
    return spawn([ROOT / ".venv" / "bin" / "seatbeat", "worker", *ROLES], log=log, environment=environment)


async def _at_work(where: World, process: Popen[bytes], log: Path) -> float:
    """The time at which the last role had committed its waiting messages."""
    async with AsyncExitStack() as stack:
        groups: dict[str, AIOKafkaConsumer] = {}
        for role in ROLES:
            groups[role] = AIOKafkaConsumer(
                bootstrap_servers=where.bootstrap, group_id=f"restart-{role}", enable_auto_commit=False
            )
            await groups[role].start()
            stack.push_async_callback(groups[role].stop)
        usage_before = await _end(groups["sink"], where, USAGE)
        for role in ROLES:
            while not await _worked_off(groups[role], where, READS[role]) or (
                role == "meter" and await _end(groups["sink"], where, USAGE) == usage_before
            ):
                _must_run(process, log)
                await asyncio.sleep(_POLL_S)
        return time.monotonic()


async def _worked_off(group: AIOKafkaConsumer, where: World, name: str) -> bool:
    ends = await group.end_offsets(_partitions(where, name))
    return all([(await group.committed(partition) or 0) >= end for partition, end in ends.items() if end])


async def _end(group: AIOKafkaConsumer, where: World, name: str) -> int:
    return sum((await group.end_offsets(_partitions(where, name))).values())


def _partitions(where: World, name: str) -> list[TopicPartition]:
    return [TopicPartition(name, number) for number in range(topic(name, where.stage).partitions)]


def _whole(process: Popen[bytes], log: Path) -> float:
    deadline = time.monotonic() + AT_WORK_S_MAX
    while WHOLE not in log.read_bytes():
        _must_run(process, log)
        if time.monotonic() > deadline:
            raise JobFailed(f"the live counts were not whole after {AT_WORK_S_MAX:.0f} s")
        time.sleep(_POLL_S)
    return time.monotonic()


def _must_run(process: Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        raise JobFailed(f"the worker ended with status {process.returncode}:\n{log.read_text()[-3_000:]}")
