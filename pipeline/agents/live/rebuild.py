"""Rebuilds live counts: the store first, then the part of `usage` that the sink has yet to store. Both are merges."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import Final

from aiokafka import TopicPartition

from pipeline.agents.live.live_counts import LiveCounts
from pipeline.agents.store_calls import CallStore
from pipeline.codec.columns.usage_messages import decode_usage
from pipeline.codec.topics.message_keys import encode_key
from pipeline.codec.topics.usage_frames import UnreadableUsage
from pipeline.kafka.headers import USAGE_VERSION_HEADER
from pipeline.kafka.ranges import Ranges
from pipeline.kafka.topics import USAGE, partition_of
from pipeline.rules.live.seats_in_use import AccountSeats
from pipeline.store.stored_sessions import read_accounts, read_latest_closes, read_latest_session_days

ACCOUNTS_AT_ONCE: Final = 4
DAYS_AT_ONCE: Final = 1_000


async def rebuild(counts: LiveCounts, partitions: frozenset[int], stored: Ranges, call: CallStore) -> None:
    """Merge all usage of the accounts in some partitions. ``stored`` asks for the sink's offsets."""
    if not partitions:
        return
    all_partitions = await stored.partitions(USAGE)
    places = [TopicPartition(USAGE, partition) for partition in sorted(partitions)]
    ends = {place: await stored.end(place) for place in places}

    async def merge_stored() -> None:
        # A million new objects and no garbage: the garbage collector took a third of the time.
        gc.disable()
        try:
            await _merge_stored(counts, partitions, all_partitions, call)
        finally:
            gc.enable()
            gc.freeze()

    _, records = await stored.stored_then_log(ends, merge_stored)
    async for record in records:
        with suppress(UnreadableUsage):
            counts.merge(decode_usage(record.value or b"", dict(record.headers).get(USAGE_VERSION_HEADER)))


async def _merge_stored(counts: LiveCounts, partitions: frozenset[int], all_partitions: int, call: CallStore) -> None:
    """A few accounts at a time, because other roles of this process use the same thread for the store."""

    def is_ours(account: str) -> bool:
        return partition_of(encode_key(account), all_partitions) in partitions

    accounts = [account for account in await call(read_accounts) if is_ours(account)]
    for first in range(0, len(accounts), ACCOUNTS_AT_ONCE):
        some = accounts[first : first + ACCOUNTS_AT_ONCE]
        for number, day in enumerate(await call(read_latest_session_days, AccountSeats.DAYS_KEPT, some)):
            counts.account(day.session.account).merge(day)
            if number % DAYS_AT_ONCE == 0:
                await asyncio.sleep(0)
    for close in await call(read_latest_closes, AccountSeats.DAYS_KEPT):
        if is_ours(close.session.account):
            counts.account(close.session.account).close(close)
