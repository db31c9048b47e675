"""The model agrees with the real code: the order of a checkpoint, and the merges of the tables."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, Final

from pipeline.agents.consuming import Message, Pace, Step
from pipeline.agents.faust.checkpoint import Checkpoints
from pipeline.codec.schema_folder import schema_folder
from pipeline.kafka.topics import HEARTBEATS
from tests.simulation.store import KEYS, MERGES, largest_per_key, union
from tests.simulation.workers import MeterWorker
from tests.simulation.world import Parts, World

_FUNCTIONS: Final = {"min": min, "max": max, "groupUniqArrayArray": union, "maxMap": largest_per_key}
_TABLE: Final = re.compile(r"^CREATE TABLE (\w+)\n\((.*?)^\)\nENGINE = (\w+)(.*?);", re.DOTALL | re.MULTILINE)
_MERGED_COLUMN: Final = re.compile(r"^\s+`?(\w+)`? SimpleAggregateFunction\((\w+),", re.MULTILINE)
_ORDER_BY: Final = re.compile(r"ORDER BY \(([^)]*)\)")


class NotesOrder(Step[str]):
    """Records the calls."""

    def __init__(self, order: list[str]) -> None:
        self._order = order
        self.third_taken = asyncio.Event()

    def take(self, message: Message) -> None:
        self._order.append(f"take {message.offset}")
        if message.offset == 2:
            self.third_taken.set()

    def drain(self) -> str:
        self._order.append("drain")
        return "output"


class FiveEvents:
    """A stream of five events and then nothing. It reports when all are read, and can wait for the first flush."""

    def __init__(self, order: list[str], *, waits_for_flush: bool) -> None:
        self._order, self._waits_for_flush = order, waits_for_flush
        self.flushing, self.silent = asyncio.Event(), asyncio.Event()

    def noack(self) -> FiveEvents:
        return self

    async def events(self) -> AsyncIterator[Any]:
        for offset in range(5):
            if offset and self._waits_for_flush:
                await self.flushing.wait()
            place = {"topic": HEARTBEATS, "partition": 0, "offset": offset}
            yield SimpleNamespace(message=SimpleNamespace(**place, key=b"", value=b"", headers=(), timestamp=0.0))
        self.silent.set()
        await asyncio.Event().wait()

    async def ack(self, event: Any) -> None:
        self._order.append(f"ack {event.message.offset}")


def test_a_simulated_checkpoint_has_the_order_of_the_real_one() -> None:
    world = World(0, Parts(), traced=False)
    worker = MeterWorker("meter-1", world.environment)
    for offset in range(2):
        value = b'{"v":1,"account":"a","product":"p","machine":"m","user":"u","session":"s","opened_at":1651568460000,'
        message = world.environment.broker.append(0, HEARTBEATS, b"", value + b'"at":1651568460000}', ())
        assert message.offset == offset
        worker.take(message, None)
    simulated = [step.removeprefix("meter ") for step in worker.checkpoint() if isinstance(step, str)]
    assert simulated == ["drain", "produce usage", "ack", "ack"]
    assert asyncio.run(_real_order(60_000, first_fails=False))[:10] == [
        *("take 0", "take 1", "drain", "flush", "flushed", "ack 0", "ack 1"),
        *("take 2", "take 3", "drain"),
    ]


def test_no_real_checkpoint_follows_a_failed_one() -> None:
    order = asyncio.run(_real_order(1, first_fails=True))
    assert order == ["take 0", "drain", "flush", "take 1", "take 2", "fail refused"]


def test_the_store_merges_each_column_as_defined_by_its_table() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(schema_folder().glob("clickhouse/*.sql")))
    tables = {name: (columns, engine, rest) for name, columns, engine, rest in _TABLE.findall(text)}
    for table, key in KEYS.items():
        columns, engine, rest = tables[table]
        order = _ORDER_BY.search(rest)
        assert order
        assert tuple(column.strip(" `\n") for column in order[1].split(",")) == key
        assert {name: _FUNCTIONS[how] for name, how in _MERGED_COLUMN.findall(columns)} == MERGES[table]
        assert engine == ("AggregatingMergeTree" if MERGES[table] else "ReplacingMergeTree")


async def _real_order(interval_ms: int, *, first_fails: bool) -> list[str]:
    """The calls of real checkpoints of two messages, until the agent fails or has read everything."""
    order: list[str] = []
    step = NotesOrder(order)
    events = FiveEvents(order, waits_for_flush=first_fails)

    async def flush(output: str) -> None:
        is_first = "flush" not in order
        order.append("flush")
        events.flushing.set()
        if first_fails and is_first:
            await step.third_taken.wait()
            raise OSError("refused")
        order.append("flushed")

    def fail(error: BaseException) -> None:
        order.append(f"fail {error}")
        events.silent.set()

    checkpoints = Checkpoints(step, flush, Pace(2, interval_ms), fail)
    stream: Any = events
    running = asyncio.create_task(checkpoints.run(stream))
    await events.silent.wait()
    running.cancel()
    await asyncio.wait([running])
    return order
