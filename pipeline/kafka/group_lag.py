"""The lag of consumer groups: committed offsets against the ends of their topics, read from the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Lag:
    """``behind``: messages of a group's topics that are not committed yet. ``end``: all messages there are."""

    behind: int
    end: int


class GroupProgress:
    """Watches one consumer group from outside, without joining it.

    ``ends``: the offset after the last message of each partition, if a single producer writes them all and keeps them.
    The embedded broker cannot be asked: it reports the end of a partition as if its last batch held a single message.
    ``reads`` tells by their numbers which partitions the group reads.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        partitions: Mapping[str, int],
        ends: Mapping[TopicPartition, int] | None = None,
        reads: Callable[[int], bool] = lambda _: True,
    ) -> None:
        self.group = group
        self._ends = ends
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
        self._assigned = [
            TopicPartition(topic, number)
            for topic, count in partitions.items()
            for number in range(count)
            if reads(number)
        ]

    async def start(self) -> None:
        """Connect to the broker. Raises ``KafkaError``."""
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        self._consumer.assign(self._assigned)
        self._consumer.pause(*self._assigned)  # or it would fetch everything for nothing

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def lag(self) -> Lag:
        """The lag now. The ends are read first, so that a lag of zero was true of them."""
        ends = await self.ends()
        return Lag(await self.behind(ends), sum(ends.values()))

    async def ends(self) -> dict[TopicPartition, int]:
        """The ends of the group's partitions now."""
        if self._ends is None:
            ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._assigned)
            return ends
        return {place: self._ends.get(place, 0) for place in self._assigned}

    async def behind(self, ends: Mapping[TopicPartition, int]) -> int:
        """How many messages before some ends the group has not committed yet."""
        behind = 0
        for place, end in ends.items():
            if end:
                committed = await self._consumer.committed(place)
                if committed is None:  # nothing was committed yet, and messages beyond the retention never will be
                    committed = (await self._consumer.beginning_offsets([place]))[place]
                behind += max(0, end - committed)
        return behind


async def drained(groups: Sequence[GroupProgress], progress: Callable[[str, int, int], None]) -> None:
    """Wait until each group, in order of the data's flow, has committed the ends of its topics.

    ``progress`` gets the group, how many messages it has committed, and how many there are.
    """
    for group in groups:
        while (lag := await group.lag()).behind:
            progress(group.group, lag.end - lag.behind, lag.end)
            await asyncio.sleep(POLL_S)
        progress(group.group, lag.end, lag.end)
