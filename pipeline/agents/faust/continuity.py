"""No message may be missed: a jump in the offsets of a partition is looked into before anything after it is taken.

Faust takes any jump for messages that do not exist (transaction markers, compaction) and acknowledges it. But when a
group forms anew while messages are being handed over, it drops what it had fetched, and where the way back to the
committed offset fails or comes late, the next message it hands over lies further on. Then what was dropped would be
committed and lost. So whoever acknowledges asks the broker what lies between, where it matters: at a jump, and at the
first message of a partition.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

ANSWER_S_MAX: Final = 60.0
STOP_S_MAX: Final = 5.0
"""Without its broker aiokafka does not end a consumer."""


class MessagesMissed(RuntimeError):
    """Messages that nobody committed were not handed over. Whoever starts again reads them."""


class Continuity:
    """Follows the offsets of every partition that a consumer group hands to this process."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self._bootstrap, self._group = bootstrap, group
        self._next: dict[tuple[str, int], int] = {}

    def follows(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a message comes next, or was there before. If not, ``look_into`` it, and then go on."""
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

    async def _first_uncommitted(self, place: TopicPartition, known: int, offset: int) -> int:
        """The offset of the first message that is neither known nor committed, at most ``offset``."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, group_id=self._group, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign([place])
            consumer.pause(place)
            begins = (await consumer.beginning_offsets([place]))[place]
            since = max(known, begins, await consumer.committed(place) or 0)
            if since >= offset:
                return offset
            consumer.seek(place, since)
            consumer.resume(place)
            return min(offset, int((await consumer.getone(place)).offset))
        finally:
            await asyncio.wait({asyncio.ensure_future(consumer.stop())}, timeout=STOP_S_MAX)
