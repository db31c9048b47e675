"""Seats: live counts and sessions in grace, per account. A cache: rebuilt from stored usage, then merged.

Some seconds after a partition was assigned its accounts are read from the store, and the part of ``usage`` that the
sink may not have stored yet is read from the sink's committed offset on. Both are merges, so neither order nor overlap
matters. A rebuild takes a core for a while; the roles beside this one, by which bills are made, are at work first.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP

from pipeline.agents.faust.app import build_app, raw_topics
from pipeline.agents.faust.checkpoint import Checkpoints, Fail, Made, Message, Pace, Stream
from pipeline.codec.topics.message_keys import encode_key
from pipeline.codec.topics.usage_frames import UnreadableUsage, UsageFrame, decode_frame
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import USAGE, partition_of
from pipeline.rules.live.seats_in_use import AccountSeats
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.stored_sessions import read_accounts, read_latest_closes, read_latest_session_days

CHECKPOINT_MS = 500
ACCOUNTS_AT_ONCE = 4
DAYS_AT_ONCE = 1_000
log = logging.getLogger(__name__)


class LiveCounts:
    """The live seats of every account heard of. ``reading_of`` gives the contract an account is judged by."""

    def __init__(self, reading_of: Callable[[str], ContractReading]) -> None:
        self._reading_of = reading_of
        self.accounts: dict[str, AccountSeats] = {}

    def merge(self, frame: UsageFrame) -> None:
        """Take in a usage frame; the same one again changes nothing."""
        account = self.account(frame.account)
        for day in frame.days:
            account.merge(day)
        for close in frame.closes:
            account.close(close)
        account.forget()

    def account(self, name: str) -> AccountSeats:
        """The seats of one account, empty at first."""
        if name not in self.accounts:
            self.accounts[name] = AccountSeats(self._reading_of(name))
        return self.accounts[name]


class SeatsStep:
    """Merges usage frames as they come. There is nothing to write, so a checkpoint only acknowledges.

    What no meter wrote is passed over: the sink keeps it as a dead letter.
    """

    def __init__(self, seats: LiveCounts) -> None:
        self._seats = seats

    def take(self, message: Message) -> None:
        with suppress(UnreadableUsage):
            self._seats.merge(decode_frame(message.value or b""))

    def drain(self) -> None:
        return None


async def rebuild(
    seats: LiveCounts, partitions: set[int], settings: Settings, client: Client, executor: Executor
) -> None:
    """Merge what is stored of the accounts of some partitions, then what the sink has yet to store of them."""
    if not partitions:
        return
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, group_id=f"{settings.app_id}-sink", enable_auto_commit=False
    )
    await consumer.start()
    try:
        assigned = [TopicPartition(USAGE, one) for one in sorted(partitions)]
        consumer.assign(assigned)
        # The sink's offsets are asked for first: what it stores meanwhile is then read twice, never missed.
        stored_to = {one: await consumer.committed(one) for one in assigned}
        ends = await consumer.end_offsets(assigned)
        # A consumer knows of a topic's partitions from when it has asked their leaders something, and not before.
        all_partitions = len(consumer.partitions_for_topic(USAGE))
        # A million new objects and no garbage: looking for some among them took a third of the time.
        gc.disable()
        try:
            await _merge_stored(seats, partitions, all_partitions, client, executor)
        finally:
            gc.enable()
            gc.freeze()
        for one in assigned:
            await _merge_range(seats, consumer, one, stored_to[one] or 0, ends[one])
    finally:
        await consumer.stop()


async def _merge_stored(
    seats: LiveCounts, partitions: set[int], all_partitions: int, client: Client, executor: Executor
) -> None:
    """A few accounts at a time, so that the roles beside this one, which share the store's thread, go on."""

    def is_ours(account: str) -> bool:
        return partition_of(encode_key(account), all_partitions) in partitions

    loop = asyncio.get_running_loop()
    accounts = [one for one in await loop.run_in_executor(executor, read_accounts, client) if is_ours(one)]
    for first in range(0, len(accounts), ACCOUNTS_AT_ONCE):
        some = accounts[first : first + ACCOUNTS_AT_ONCE]
        days = await loop.run_in_executor(executor, read_latest_session_days, client, AccountSeats.DAYS_KEPT, some)
        for number, day in enumerate(days):
            seats.account(day.session.account).merge(day)
            if number % DAYS_AT_ONCE == 0:
                await asyncio.sleep(0)
    closes = await loop.run_in_executor(executor, read_latest_closes, client, AccountSeats.DAYS_KEPT)
    for close in closes:
        if is_ours(close.session.account):
            seats.account(close.session.account).close(close)


async def _merge_range(
    seats: LiveCounts, consumer: AIOKafkaConsumer, one: TopicPartition, start: int, end: int
) -> None:
    begins = (await consumer.beginning_offsets([one]))[one]
    consumer.seek(one, max(start, begins))
    while await consumer.position(one) < end:
        for record in (await consumer.getmany(one, timeout_ms=1_000)).get(one, ()):
            with suppress(UnreadableUsage):
                seats.merge(decode_frame(record.value or b""))


def build_seats(
    settings: Settings,
    seats: LiveCounts,
    client: Client,
    executor: Executor,
    fail: Fail,
    observe: Callable[[Made], None] = lambda _: None,
) -> faust.App:
    """The seats agent's app: it rebuilds what it is assigned and merges what it hears."""
    app = build_app(settings, "seats", fail)
    pace = Pace(settings.meter_checkpoint_messages, CHECKPOINT_MS)
    checkpoints = Checkpoints(SeatsStep(seats), _nothing_to_write, pace, fail, observe)
    rebuilding: set[asyncio.Task[None]] = set()

    def finished(task: asyncio.Task[None]) -> None:
        rebuilding.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            fail(error)
        elif not task.cancelled() and not rebuilding and seats.accounts:
            log.info("live counts are whole, over %d accounts", len(seats.accounts))

    async def rebuild_later(partitions: set[int]) -> None:
        await asyncio.sleep(settings.seats_rebuild_after_ms / 1000)
        await rebuild(seats, partitions, settings, client, executor)

    @app.on_partitions_assigned.connect  # type: ignore[arg-type]  # the signal passes its arguments so
    async def on_assigned(_app: faust.App, assigned: set[TP], **_: object) -> None:
        partitions = {tp.partition for tp in assigned if tp.topic == USAGE}
        task = asyncio.get_running_loop().create_task(rebuild_later(partitions))
        rebuilding.add(task)
        task.add_done_callback(finished)

    @app.on_before_shutdown.connect  # type: ignore[arg-type]  # the signal passes its arguments so
    async def on_stopping(_app: faust.App, **_: object) -> None:
        for task in rebuilding:
            task.cancel()

    @app.agent(raw_topics(app, USAGE), concurrency=1, name="seats")
    async def follow(stream: Stream) -> None:
        await checkpoints.run(stream)

    return app


async def _nothing_to_write(_: None) -> None:
    return None
