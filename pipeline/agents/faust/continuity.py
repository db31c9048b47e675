"""No message may be missed: a jump in a partition's offsets is examined before anything after it is taken.

Faust treats any jump as offsets without messages (transaction markers, compaction) and acknowledges it. But when a
group forms anew while messages are being delivered, Faust drops what it had fetched; if the seek to the committed
offset then fails or comes late, the next message it delivers lies further on, and the dropped messages would be
committed and lost. So the checkpoint asks the broker what lies between, at a jump and at the first message of a
partition.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

ANSWER_S_MAX: Final = 60.0
STOP_S_MAX: Final = 5.0
"""Without its broker aiokafka does not end a consumer."""


class MessagesMissed(RuntimeError):
    """Messages without a commit were not delivered. After a restart they are."""


class Continuity:
    """Follows the offsets of every partition that the consumer group has assigned to this process."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self._bootstrap, self._group = bootstrap, group
        self._next: dict[tuple[str, int], int] = {}

    def follows(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a message is the next one, or was delivered before. If not, ``look_into`` it before it is taken."""
        place = topic, partition
        expected = self._next.get(place)
        if expected is None or offset > expected:
            return False
        self._next[place] = offset + 1
        return True

    async def look_into(self, topic: str, partition: int, offset: int) -> None:
        """Make sure that nothing uncommitted lies before a message. Raises ``MessagesMissed``, ``TimeoutError``."""
        place = TopicPartition(topic, partition)
        async with asyncio.timeout(ANSWER_S_MAX):
            first = await self._first_uncommitted(place, self._next.get((topic, partition), 0), offset)
        if first < offset:
            raise MessagesMissed(f"{topic}/{partition}: offset {offset} came, but {first} never did")
        self._next[topic, partition] = offset + 1

    async def _first_uncommitted(self, place: TopicPartition, next_offset: int, offset: int) -> int:
        """The offset of the first message that was neither delivered nor committed, at most ``offset``."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, group_id=self._group, enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign([place])
            consumer.pause(place)
            begins = (await consumer.beginning_offsets([place]))[place]
            since = max(next_offset, begins, await consumer.committed(place) or 0)
            if since >= offset:
                return offset
            consumer.seek(place, since)
            consumer.resume(place)
            return min(offset, int((await consumer.getone(place)).offset))
        finally:
            await asyncio.wait({asyncio.ensure_future(consumer.stop())}, timeout=STOP_S_MAX)
