"""A log of one partition, read whole and then followed, from outside any group: every process reads all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

FETCH_BYTES_MAX: Final = 4 * 1024 * 1024
FETCH_WAIT_MS: Final = 500
_TURN_MS: Final = 1_000


class WholeLog:
    """Hands every record of a topic's only partition to ``hear``, in order.

    ``async with`` returns once the log was read to the end that it had then; after that ``follow`` goes on. After an
    error of the broker records may come again, so hearing one twice must change nothing.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        hear: Callable[[ConsumerRecord], None],
        *,
        fetch_wait_ms: int = FETCH_WAIT_MS,
    ) -> None:
        self._place, self._hear = TopicPartition(topic, 0), hear
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            fetch_max_wait_ms=fetch_wait_ms,
        )
        self._read_to = 0
        self._moved = asyncio.Condition()

    async def __aenter__(self) -> WholeLog:
        try:
            await self._consumer.start()
            self._consumer.assign([self._place])
            await self._consumer.seek_to_beginning(self._place)
            end = int((await self._consumer.end_offsets([self._place]))[self._place])
            while self._read_to < end:
                await self._turn()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def follow(self) -> None:
        """Hear what is appended, until cancelled. Raises ``KafkaError``."""
        while True:
            await self._turn()

    async def reached(self, end: int) -> None:
        """Wait until everything before an offset was heard, while somebody follows."""
        async with self._moved:
            while self._read_to < end:
                await self._moved.wait()

    async def _turn(self) -> None:
        for record in (await self._consumer.getmany(self._place, timeout_ms=_TURN_MS)).get(self._place, ()):
            self._hear(record)
        self._read_to = int(await self._consumer.position(self._place))  # past the offsets that compaction removed, too
        async with self._moved:
            self._moved.notify_all()
