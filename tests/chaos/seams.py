"""Wraps the parts of a worker to report the steps that they take, without changing what they do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import wraps
from typing import Any

import pyarrow as pa
from faust.streams import Stream
from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from pipeline.agents import worker_process
from pipeline.agents.consuming import CheckpointMade, Fail, Pace, Step
from pipeline.agents.faust.checkpoint import Checkpoints
from pipeline.agents.faust.continuity import Continuity
from pipeline.agents.live.seats_agent import SeatsStep
from pipeline.agents.meter import MeterStep
from pipeline.agents.sink import Batch, SinkStep
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.store.client import Client, Parameter, QueryResult, connect
from tests.chaos.steps import Passing
from tests.chaos.token_seams import stand_around_tokens


def stand_around(passing: Passing) -> None:
    """Install the seams, once, before a worker is built."""
    _start_without_waiting_for_tables()
    for step in (MeterStep, SinkStep, SeatsStep):
        _after(step, "take", lambda: passing.step("taken"))
        _after(step, "drain", lambda: passing.step("drained"))
    _after(Batch, "write", lambda: passing.step("inserted all"))
    _around_producer(passing)
    stand_around_tokens(passing)
    _around_store(passing)
    _around_acknowledgements(passing)
    _around_commits(passing)


def _after(owner: type, method: str, tell: Callable[[], None]) -> None:
    """Report the end of a method, also in subclasses that call it."""
    original = getattr(owner, method)

    @wraps(original)
    def heard(self: object, *arguments: object) -> object:
        done = original(self, *arguments)
        tell()
        return done

    setattr(owner, method, heard)


def _start_without_waiting_for_tables() -> None:
    """Skip the second that Faust waits at every start for tables to be declared: there are none."""

    async def at_once(_self: TableManager, _n: object) -> None:
        await asyncio.sleep(0)

    setattr(TableManager, "sleep", at_once)  # noqa: B010 -- a seam: the type of Faust's own method does not matter


def _around_producer(passing: Passing) -> None:
    write = Producer.write

    async def heard(self: Producer, messages: Iterable[Outgoing]) -> None:
        """Write several messages in two parts, so that a worker can end between them."""
        written = list(messages)
        half = len(written) // 2
        if half:
            await write(self, written[:half])
            passing.step("produced some")
        await write(self, written[half:])
        passing.step("produced all")

    Producer.write = heard  # type: ignore[method-assign]  # a seam


class _HeardClient:
    def __init__(self, client: Client, passing: Passing) -> None:
        self._client, self._passing = client, passing

    def command(self, cmd: str, parameters: Mapping[str, Parameter] | None = None) -> object:
        done = self._client.command(cmd, parameters)
        if cmd.startswith("INSERT INTO contracts"):
            self._passing.step("inserted contracts")
        return done

    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult:
        return self._client.query(query, parameters)

    def query_arrow(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> pa.Table:
        return self._client.query_arrow(query, parameters)

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object:
        inserted = self._client.insert_arrow(table, arrow_table)
        self._passing.step(f"inserted {table}")
        return inserted

    def close(self) -> None:
        self._client.close()


def _around_store(passing: Passing) -> None:
    def heard(dsn: str) -> Client:
        return _HeardClient(connect(dsn), passing)

    worker_process.connect = heard  # type: ignore[attr-defined]  # a seam: the worker opens whatever stands under the name


def _around_acknowledgements(passing: Passing) -> None:
    ack, build = Stream.ack, Checkpoints.__init__

    async def heard_ack(self: Stream[Any], event: Any) -> bool:
        acked: bool = await ack(self, event)
        passing.step("acked some")
        return acked

    def heard_build(
        self: Checkpoints[Any],
        step: Step[Any],
        flush: Callable[[Any], Awaitable[None]],
        pace: Pace,
        fail: Fail,
        observe: Callable[[CheckpointMade], None] = lambda _: None,
        continuity: Continuity | None = None,
    ) -> None:
        def heard_observe(made: CheckpointMade) -> None:
            observe(made)
            passing.step("acked all")

        build(self, step, flush, pace, fail, heard_observe, continuity)

    Stream.ack = heard_ack  # type: ignore[method-assign]  # a seam
    Checkpoints.__init__ = heard_build  # type: ignore[method-assign]  # a seam


def _around_commits(passing: Passing) -> None:
    commit = AIOKafkaConsumerThread.commit

    async def heard(self: AIOKafkaConsumerThread, offsets: Mapping[Any, int]) -> bool:
        committed: bool = await commit(self, offsets)
        if committed:
            passing.step("committed")
        return committed

    AIOKafkaConsumerThread.commit = heard  # type: ignore[method-assign]  # a seam
