"""The completeness mark never passes messages that an agent has not processed yet.

The agents are simulated by their committed offsets, which tests move between two polls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from pipeline.agents.completeness_mark import Ends, Reader, Stages, chase, stages
from pipeline.agents.sink import SINK_TOPICS
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, HEARTBEATS_QUARANTINE, USAGE, Topic, create_topics
from pipeline.rules.statement.completeness import CLOCKS_DIFFER_MS_MAX
from tests.support.broker.brokers import BrokerKind

NOTED_AT = 1_651_569_000_000
PARTITIONS = 2
Step = Callable[[], Awaitable[None]]


@dataclass
class World:
    """Two stages on topics of their own: a meter, then a sink with two topics, then the mark."""

    bootstrap: str
    prefix: str
    producer: Producer
    ends: Ends | None
    looks: list[int] = field(default_factory=list)

    @property
    def stages(self) -> Stages:
        sink = Reader(f"{self.prefix}sink", (f"{self.prefix}usage", f"{self.prefix}letters"))
        return ([Reader(f"{self.prefix}meter", (f"{self.prefix}heartbeats",))], [sink])

    async def write(self, topic: str, partition: int = 0) -> None:
        """Write a message with a key for the partition."""
        name = f"{self.prefix}{topic}"
        for number in range(100):
            before = dict(self.producer.ends)
            if number and before.get(TopicPartition(name, partition), 0):
                return
            await self.producer.write([Outgoing(name, f"{number}".encode(), b"x")])
        raise AssertionError(f"no key led to partition {partition}")

    async def work_off(self, group: str, topic: str, partition: int, behind: int = 0) -> None:
        """Commit a group's offset: the end of the partition minus ``behind``."""
        place = TopicPartition(f"{self.prefix}{topic}", partition)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=f"{self.prefix}{group}", enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign([place])
            await consumer.commit({place: self.producer.ends.get(place, 0) - behind})
        finally:
            await consumer.stop()

    async def chase(self, steps: Sequence[Step]) -> int:
        """The mark, after checking that it was absent before the last step."""
        waiting = [*steps]

        async def rest() -> None:
            assert waiting, "everything is processed, but there is no mark"
            await waiting.pop(0)()

        mark = await chase(self.bootstrap, self.stages, lambda: NOTED_AT, rest, self.ends)
        assert not waiting, "there is a mark although a message is not processed yet"
        return mark


@asynccontextmanager
async def opened(bootstrap: str, prefix: str, kind: BrokerKind) -> AsyncIterator[World]:
    names = [f"{prefix}{name}" for name in ("heartbeats", "usage", "letters")]
    await create_topics(bootstrap, [Topic(name, PARTITIONS, 1, {}) for name in names], with_config=False)
    producer = Producer(bootstrap, idempotent=kind != "embedded")
    await producer.start()
    try:
        yield World(bootstrap, prefix, producer, producer.ends if kind == "embedded" else None)
    finally:
        await producer.stop()


def test_a_mark_waits_for_every_partition_of_every_agent(bootstrap: str, prefix: str, broker_kind: BrokerKind) -> None:
    async def scenario() -> int:
        async with opened(bootstrap, prefix, broker_kind) as world:
            for partition in range(PARTITIONS):
                await world.write("heartbeats", partition)

            async def meter_first() -> None:
                await world.work_off("meter", "heartbeats", 0)

            async def meter_all_but_one() -> None:
                await world.work_off("meter", "heartbeats", 1, behind=1)

            async def meter_second() -> None:
                # A meter commits after writing its outputs, so the ends of their topics must be read after the commit.
                await world.write("usage", 1)
                await world.write("letters", 0)
                await world.work_off("meter", "heartbeats", 1)

            async def sink_usage() -> None:
                await world.work_off("sink", "usage", 0)
                await world.work_off("sink", "usage", 1)

            async def sink_letters() -> None:
                await world.work_off("sink", "letters", 0)
                await world.work_off("sink", "letters", 1)

            return await world.chase([meter_first, meter_all_but_one, meter_second, sink_usage, sink_letters])

    assert asyncio.run(scenario()) == NOTED_AT - CLOCKS_DIFFER_MS_MAX


def test_the_mark_follows_the_clock_without_lag(bootstrap: str, prefix: str, broker_kind: BrokerKind) -> None:
    async def scenario() -> int:
        async with opened(bootstrap, prefix, broker_kind) as world:
            return await world.chase([])

    assert asyncio.run(scenario()) == NOTED_AT - CLOCKS_DIFFER_MS_MAX


def test_later_messages_do_not_delay_a_mark(bootstrap: str, prefix: str, broker_kind: BrokerKind) -> None:
    async def scenario() -> int:
        async with opened(bootstrap, prefix, broker_kind) as world:
            await world.write("heartbeats", 0)
            await world.write("heartbeats", 1)

            async def more_messages_and_the_old_ones() -> None:
                before = dict(world.producer.ends)
                name = TopicPartition(f"{prefix}heartbeats", 0)
                await world.producer.write([Outgoing(name.topic, b"0", b"more"), Outgoing(name.topic, b"1", b"more")])
                for partition in range(PARTITIONS):
                    place = TopicPartition(name.topic, partition)
                    await world.work_off("meter", "heartbeats", partition, world.producer.ends[place] - before[place])

            return await world.chase([more_messages_and_the_old_ones])

    assert asyncio.run(scenario()) == NOTED_AT - CLOCKS_DIFFER_MS_MAX


def test_a_missing_topic_is_an_error(bootstrap: str, prefix: str) -> None:
    absent = ([Reader(f"{prefix}meter", (f"{prefix}absent",))],)
    with pytest.raises(UnknownTopicOrPartitionError):
        asyncio.run(chase(bootstrap, absent, lambda: NOTED_AT))


def test_the_mark_waits_for_every_topic_of_evidence() -> None:
    meter, storing = stages("seatbeat")
    assert [(group.group, group.topics) for group in meter] == [("seatbeat-meter", (HEARTBEATS,))]
    assert {group.group: set(group.topics) for group in storing} == {
        f"seatbeat-{role}": set(topics) for role, topics in SINK_TOPICS.items()
    }
    assert {USAGE, HEARTBEATS_DLQ, HEARTBEATS_QUARANTINE} <= {topic for group in storing for topic in group.topics}
