"""Seats: live counts and sessions in grace, per account. A cache: rebuilt from stored usage, then merged.

1. The topic `contracts` is read to its end before anything is counted, and followed from then on.
2. `usage` is merged as it comes.
3. Half a second after partitions were assigned their accounts are rebuilt from the store (``rebuild``). That takes a
   core for a while, so the roles that bills rest on may start before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

import pyarrow as pa
from aiokafka import TopicPartition

from pipeline.agents.consuming import Agent, CheckpointMade, Fail, Message, Pace
from pipeline.agents.live.live_counts import LiveCounts
from pipeline.agents.live.rebuild import rebuild
from pipeline.agents.store_calls import CallStore
from pipeline.codec.columns.seat_rows import seat_rows
from pipeline.codec.columns.usage_messages import decode_usage
from pipeline.codec.topics.usage_frames import UnreadableUsage
from pipeline.kafka.headers import USAGE_VERSION_HEADER
from pipeline.kafka.ranges import Ranges
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import CONTRACTS, USAGE
from pipeline.kafka.whole_log import WholeLog

CHECKPOINT_MS: Final = 500
Heard = dict[int, pa.Table]
log = logging.getLogger(__name__)


class SeatsStep:
    """Gathers usage messages. There is nothing to write: the flush merges them into the counts.

    A message that no meter wrote is skipped: the sink keeps it as a dead letter.
    """

    def __init__(self) -> None:
        self._heard: dict[int, list[pa.Table]] = {}

    def take(self, message: Message) -> None:
        """Keep the seat rows of a usage message."""
        with suppress(UnreadableUsage):
            usage = decode_usage(message.value or b"", message.header(USAGE_VERSION_HEADER))
            self._heard.setdefault(message.partition, []).append(seat_rows(usage.rows))

    def drain(self) -> Heard:
        """Seat rows by partition."""
        heard, self._heard = self._heard, {}
        return {partition: pa.concat_tables(tables) for partition, tables in heard.items()}


class Rebuilding:
    """Rebuilds after each assignment, in tasks of its own."""

    def __init__(self, settings: Settings, counts: LiveCounts, call: CallStore, fail: Fail) -> None:
        self._settings, self._counts, self._call, self._fail = settings, counts, call, fail
        self._tasks: set[asyncio.Task[None]] = set()

    def on_assigned(self, assigned: frozenset[TopicPartition]) -> None:
        """Let go of all partitions of `usage` but the assigned ones, and start to rebuild these."""
        partitions = frozenset(place.partition for place in assigned if place.topic == USAGE)
        self._counts.assign(partitions)
        task = asyncio.get_running_loop().create_task(self._rebuild_later(partitions))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def cancel(self) -> None:
        """End all rebuilds; the process is stopping."""
        for task in self._tasks:
            task.cancel()

    async def _rebuild_later(self, partitions: frozenset[int]) -> None:
        await asyncio.sleep(self._settings.seats_rebuild_after_ms / 1000)
        async with Ranges(self._settings.kafka_bootstrap, f"{self._settings.app_id}-sink") as stored:
            await rebuild(self._counts, partitions, stored, self._call)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
        elif not task.cancelled() and not self._tasks and (accounts := len(self._counts.accounts())):
            log.info("live counts are whole, over %d accounts", accounts)


class SeatsAgent:
    """The agent, the log of contracts that it follows, and its rebuilds. ``async with`` runs all but the agent itself.

    ``async with`` returns once the contracts were read; the agent may be started then.
    """

    def __init__(
        self,
        settings: Settings,
        counts: LiveCounts,
        call: CallStore,
        fail: Fail,
        observe: Callable[[CheckpointMade], None] = lambda _: None,
    ) -> None:
        self._fail, self._counts = fail, counts
        self._rebuilding = Rebuilding(settings, counts, call, fail)
        self._following: asyncio.Task[None]
        self.contracts = WholeLog(
            settings.kafka_bootstrap, CONTRACTS, counts.hear_contract, fetch_wait_ms=settings.fetch_wait_ms
        )
        self.agent = Agent(
            role="seats",
            topics=(USAGE,),
            step=SeatsStep(),
            flush=self._merge,
            pace=Pace(settings.meter_checkpoint_messages, CHECKPOINT_MS),
            may_skip=True,
            observe=observe,
            on_assigned=self._rebuilding.on_assigned,
        )

    async def __aenter__(self) -> SeatsAgent:
        await self.contracts.__aenter__()
        self._following = asyncio.create_task(self.contracts.follow())
        self._following.add_done_callback(self._following_ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rebuilding.cancel()
        self._following.cancel()
        await asyncio.wait([self._following])
        await self.contracts.__aexit__(kind, error, trace)

    async def _merge(self, heard: Heard) -> None:
        for partition, rows in heard.items():
            self._counts.hear(partition, rows)
        await self._counts.fold()

    def _following_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
