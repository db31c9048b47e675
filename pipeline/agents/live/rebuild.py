"""Rebuilds live counts: the store first, then the part of `usage` that the sink has yet to store. Both are merges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from aiokafka import TopicPartition

from pipeline.agents.live.held_usage import Packed, packed
from pipeline.agents.live.live_counts import LiveCounts
from pipeline.agents.store_calls import CallStore
from pipeline.codec.columns.seat_rows import seat_rows
from pipeline.codec.columns.usage_messages import decode_usage
from pipeline.codec.columns.usage_rows import of_accounts
from pipeline.codec.topics.message_keys import encode_key
from pipeline.codec.topics.usage_frames import UnreadableUsage
from pipeline.kafka.headers import USAGE_VERSION_HEADER
from pipeline.kafka.ranges import Ranges
from pipeline.kafka.topics import USAGE, partition_of
from pipeline.rules.live.seats_in_use import AccountSeats
from pipeline.store.client import Client
from pipeline.store.latest_usage import LatestDay, read_latest_days, read_seat_rows, release_memory

ROWS_AT_ONCE: Final = 65_536
"""Read from the store at a time: about 0.1 s, in which other roles of this process wait for the store."""
DAYS_APART_MAX: Final = 31
"""Accounts that are read together have their latest days at most so far apart: the store is partitioned by month."""


async def rebuild(counts: LiveCounts, partitions: frozenset[int], stored: Ranges, call: CallStore) -> None:
    """Merge all usage of the accounts in some partitions. ``stored`` asks for the sink's offsets."""
    if not partitions:
        return
    all_partitions = await stored.partitions(USAGE)
    places = [TopicPartition(USAGE, partition) for partition in sorted(partitions)]
    ends = {place: await stored.end(place) for place in places}

    async def merge_stored() -> None:
        await _merge_stored(counts, partitions, all_partitions, call)

    _, records = await stored.stored_then_log(ends, merge_stored)
    async for record in records:
        with suppress(UnreadableUsage):
            usage = decode_usage(record.value or b"", dict(record.headers).get(USAGE_VERSION_HEADER))
            counts.hear(record.partition, seat_rows(usage.rows))
        await counts.fold()


async def _merge_stored(counts: LiveCounts, partitions: frozenset[int], all_partitions: int, call: CallStore) -> None:
    by_partition: dict[int, list[str]] = {partition: [] for partition in partitions}
    ours = []
    for latest in await call(read_latest_days, AccountSeats.DAYS_KEPT):
        partition = partition_of(encode_key(latest.account), all_partitions)
        if partition in partitions:
            by_partition[partition].append(latest.account)
            ours.append(latest)
    for some in _read_together(ours):
        for partition, piece in (await call(_read_packed, some, by_partition)).items():
            counts.hold(partition, piece)


def _read_packed(
    client: Client, accounts: Sequence[LatestDay], by_partition: Mapping[int, Sequence[str]]
) -> dict[int, Packed]:
    """Packed where they are read: a thread keeps the memory that it used once."""
    rows = read_seat_rows(client, accounts, AccountSeats.DAYS_KEPT)
    pieces = {partition: packed(of_accounts(rows, names)) for partition, names in by_partition.items()}
    del rows
    release_memory(client)
    return pieces


def _read_together(accounts: Iterable[LatestDay]) -> Iterator[list[LatestDay]]:
    """Accounts in groups of about ``ROWS_AT_ONCE`` rows, whose latest days are not far apart."""
    some: list[LatestDay] = []
    rows = 0
    for latest in sorted(accounts, key=lambda latest: (latest.day, latest.account)):
        if some and (rows + latest.rows > ROWS_AT_ONCE or latest.day - some[0].day > DAYS_APART_MAX):
            yield some
            some, rows = [], 0
        some.append(latest)
        rows += latest.rows
    if some:
        yield some
