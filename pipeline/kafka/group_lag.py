"""How far agents are: committed offsets against the ends of their topics, asked of the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Lag:
    """Messages of a consumer group's topics that are not acknowledged yet, of all messages there are."""

    behind: int
    end: int


class GroupProgress:
    """Watches one consumer group from outside, without joining it.

    ``ends``: the offset after the last message of each partition, where the only writer knows them. The embedded broker
    cannot be asked: it tells the end of a partition as if its last batch held one message only.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        partitions: Mapping[str, int],
        ends: Mapping[TopicPartition, int] | None = None,
    ) -> None:
        self.group = group
        self._ends = ends
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
        self._assigned = [TopicPartition(topic, one) for topic, count in partitions.items() for one in range(count)]

    async def start(self) -> None:
        await self._consumer.start()
        self._consumer.assign(self._assigned)
        self._consumer.pause(*self._assigned)  # or it would fetch everything, to be thrown away

    async def stop(self) -> None:
        await self._consumer.stop()

    async def lag(self) -> Lag:
        """Where the group stands now. The ends are asked for first, so that a lag of zero was true of them."""
        ends = await self.ends()
        return Lag(await self.behind(ends), sum(ends.values()))

    async def ends(self) -> dict[TopicPartition, int]:
        """The ends of the group's partitions now."""
        if self._ends is None:
            ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._assigned)
            return ends
        return {one: self._ends.get(one, 0) for one in self._assigned}

    async def behind(self, ends: Mapping[TopicPartition, int]) -> int:
        """How many messages before some ends the group has not committed yet."""
        behind = 0
        for one, end in ends.items():
            if end:
                committed = await self._consumer.committed(one)
                if committed is None:  # nothing was ever worked off, and what was too old to be kept never will be
                    committed = (await self._consumer.beginning_offsets([one]))[one]
                behind += max(0, end - committed)
        return behind


async def drained(groups: Sequence[GroupProgress], heard: Callable[[str, int, int], None]) -> None:
    """Wait until each group, in order of the data's flow, has committed the ends of its topics.

    ``heard`` is told the group, and how many messages it has worked off, of how many.
    """
    for group in groups:
        while (lag := await group.lag()).behind:
            heard(group.group, lag.end - lag.behind, lag.end)
            await asyncio.sleep(POLL_S)
        heard(group.group, lag.end, lag.end)
