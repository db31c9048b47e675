"""Ranges of a partition, read from outside any group: the part of a log that a cache does not hold yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Final, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.topics import partition_of

Answer = TypeVar("Answer")
FETCH_BYTES_MAX: Final = 4 * 1024 * 1024
FETCH_WAIT_MS: Final = 50


class Ranges:
    """Reads ranges, one at a time, and asks how far a group has committed. ``async with`` opens it.

    ``group`` is asked about and never joined.
    """

    def __init__(self, bootstrap: str, group: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        self._assigned: TopicPartition | None = None

    async def __aenter__(self) -> Ranges:
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def place_of(self, topic: str, account: str) -> TopicPartition:
        """The partition of a topic that holds an account."""
        return TopicPartition(topic, partition_of(encode_key(account), await self.partitions(topic)))

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        # The consumer has no partitions of a topic before it has sent a leader some request.
        await self._consumer.beginning_offsets([TopicPartition(topic, 0)])
        return len(self._consumer.partitions_for_topic(topic))

    async def end(self, place: TopicPartition) -> int:
        """The offset after the last message."""
        return int((await self._consumer.end_offsets([place]))[place])

    async def committed(self, place: TopicPartition) -> int:
        """How far the group has committed, 0 where it has not."""
        return int(await self._consumer.committed(place) or 0)

    async def read(self, place: TopicPartition, start: int, end: int) -> AsyncIterator[ConsumerRecord]:
        """The messages there are in ``[start, end)``. The caller must read the iterator to its end."""
        if start >= end:
            return
        if self._assigned != place:
            self._consumer.assign([place])
            self._assigned = place
            self._consumer.pause(place)
        begins = (await self._consumer.beginning_offsets([place]))[place]
        self._consumer.seek(place, max(start, begins))
        self._consumer.resume(place)
        while await self._consumer.position(place) < end:
            for record in (await self._consumer.getmany(place, timeout_ms=1_000)).get(place, ()):
                if record.offset < end:
                    yield record
        self._consumer.pause(place)  # or it would keep fetching behind the range

    async def stored_then_log(
        self, ends: Mapping[TopicPartition, int], read_stored: Callable[[], Awaitable[Answer]]
    ) -> tuple[Answer, AsyncIterator[ConsumerRecord]]:
        """All of a log up to ``ends``, where the group writes it to the store: the stored part, then the rest.

        The group's offsets are read first: what it stores meanwhile is then read twice, never missed. So the reader
        must merge.
        """
        stored_to = {place: await self.committed(place) for place in ends}
        stored = await read_stored()
        return stored, self._all({place: (stored_to[place], end) for place, end in ends.items()})

    async def _all(self, ranges: Mapping[TopicPartition, tuple[int, int]]) -> AsyncIterator[ConsumerRecord]:
        for place, (start, end) in ranges.items():
            async for record in self.read(place, start, end):
                yield record
