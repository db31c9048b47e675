"""A broker in memory: topics only grow, and groups do not fence members.

It is weaker than Apache Kafka on purpose: producers are not idempotent, and it accepts every commit, however old and
from any member. So offsets may go back, and a zombie's commit counts. Promises that hold here need no fencing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from pipeline.agents.consuming import Message
from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, USAGE, partition_of

PARTITIONS: Final = {HEARTBEATS: 3, USAGE: 2, HEARTBEATS_DLQ: 1}
START_AT: Final = 1_651_600_000_000
"""The broker's clock at virtual time zero: 2022-05-03T17:46:40Z."""

Place = tuple[str, int]
"""A topic and one of its partitions."""
Headers = tuple[tuple[str, bytes], ...]


class Group:
    """A consumer group: its members, the owner of each partition, and committed offsets."""

    def __init__(self, name: str, topics: tuple[str, ...], chance: Random) -> None:
        self.name, self._chance = name, chance
        self.places: list[Place] = [(topic, partition) for topic in topics for partition in range(PARTITIONS[topic])]
        self.members: list[str] = []
        self.generation = 0
        self.owners: dict[Place, str] = {}
        self.committed: dict[Place, int] = dict.fromkeys(self.places, 0)

    def join(self, member: str) -> None:
        if member not in self.members:
            self.members.append(member)
            self.rebalance()

    def leave(self, member: str) -> None:
        if member in self.members:
            self.members.remove(member)
            self.rebalance()

    def rebalance(self) -> None:
        """Start a new generation with another assignment of partitions. Members learn of it when they poll."""
        self.generation += 1
        order = self._chance.sample(self.members, len(self.members))
        self.owners = {place: order[i % len(order)] for i, place in enumerate(self.places)} if order else {}


class Broker:
    """Topics and groups. ``on_append`` is called with every appended message."""

    def __init__(self, chance: Random, on_append: Callable[[Message], None]) -> None:
        self._chance, self._on_append = chance, on_append
        self.logs: dict[Place, list[Message]] = {
            (topic, partition): [] for topic, count in PARTITIONS.items() for partition in range(count)
        }
        self._clock_skews_ms = {place: chance.randint(-400, 400) for place in self.logs}
        self.groups = {
            "meter": Group("meter", (HEARTBEATS,), chance),
            "sink": Group("sink", (USAGE, HEARTBEATS_DLQ), chance),
        }
        self.is_away = False

    def append(
        self,
        now_ms: int,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        partition: int | None = None,
    ) -> Message:
        """Append a message to a partition, else to that of its key, with the clock of that partition's broker."""
        count = PARTITIONS[topic]
        if partition is None:
            partition = self._chance.randrange(count) if key is None else partition_of(key, count)
        log = self.logs[topic, partition]
        received_at = START_AT + now_ms + self._clock_skews_ms[topic, partition]
        message = Message(topic, partition, len(log), key, value, headers, received_at)
        log.append(message)
        self._on_append(message)
        return message

    def messages(self, topic: str) -> Iterator[Message]:
        """Every message of a topic, partition by partition."""
        for partition in range(PARTITIONS[topic]):
            yield from self.logs[topic, partition]

    def lag(self) -> int:
        """Messages that groups have not committed yet."""
        return sum(
            len(self.logs[place]) - offset
            for group in self.groups.values()
            for place, offset in group.committed.items()
        )
