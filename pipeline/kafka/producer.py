"""Producing durably: an idempotent producer whose every write is awaited before anything is acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition

MESSAGE_BYTES_MAX = 4 * 1024 * 1024


class Outgoing(NamedTuple):
    """A message to be written."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Producer:
    """Writes messages with ``acks=all`` and in order, partition by partition.

    ``ends`` holds, of each partition written to, the offset after the last message.

    ``idempotent`` is off for the embedded broker only, which gives out no producer ids: a write it answers too late
    may then stand twice in the log, which merges do not mind.
    """

    def __init__(self, bootstrap: str, *, idempotent: bool = True) -> None:
        self.ends: dict[TopicPartition, int] = {}
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            enable_idempotence=idempotent,
            acks="all",
            compression_type="lz4",
            max_request_size=MESSAGE_BYTES_MAX,
            max_batch_size=1024 * 1024,
        )

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def write(self, messages: Iterable[Outgoing]) -> None:
        """Write all and wait until the broker has them all. Raises ``KafkaError`` where it refuses one."""
        written = [
            await self._producer.send(one.topic, value=one.value, key=one.key, headers=list(one.headers))
            for one in messages
        ]
        for one in await asyncio.gather(*written):
            self.ends[one.topic_partition] = max(one.offset + 1, self.ends.get(one.topic_partition, 0))
