"""The tests' own Kafka clients, on an event loop of their own: sending, progress of groups, contents of logs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Final, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.structs import OffsetAndMetadata

from pipeline.agents.consuming import Message
from pipeline.kafka.group_lag import GroupProgress
from pipeline.kafka.topics import Topic, create_topics
from tests.chaos.inputs import Sent

Answer = TypeVar("Answer")
POLL_S: Final = 0.05
_ANSWER_S_MAX: Final = 120.0
_MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024


class Loop:
    """An event loop in a thread, for callers without a loop. ``with`` starts and ends it."""

    def __enter__(self) -> Loop:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="chaos-kafka")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[object, object, Answer], within_s: float = _ANSWER_S_MAX) -> Answer:
        """Run a coroutine on the loop and wait for its end. Raises ``TimeoutError``."""
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, within_s), self._loop).result()


class KafkaClient:
    """Everything a scenario asks of its brokers. Every method blocks until its effect holds."""

    def __init__(self, loop: Loop, bootstrap: str) -> None:
        self._loop, self.bootstrap = loop, bootstrap
        self._open = AsyncExitStack()
        self._producer: AIOKafkaProducer | None = None
        self._groups: dict[str, GroupProgress] = {}

    def close(self) -> None:
        self._loop.run(self._open.aclose())

    def renew(self, topics: Iterable[Topic]) -> None:
        """Delete and create topics, so that they are empty."""
        self._loop.run(self._renew(list(topics)))

    def create(self, topics: Iterable[Topic]) -> None:
        """Create missing topics."""
        self._loop.run(create_topics(self.bootstrap, topics))

    def delete(self, *names: str) -> None:
        """Delete topics."""
        self._loop.run(self._delete(list(names)))

    def configure(self, topic: str, config: Mapping[str, str]) -> None:
        """Alter a topic's settings."""
        self._loop.run(self._configure(topic, config))

    def send(self, messages: Sequence[Sent]) -> None:
        """Send messages and wait for all acknowledgements."""
        self._loop.run(self._send(messages))

    def lag(self, group: str, topics: Mapping[str, int]) -> int:
        """The number of messages of these topics that a group has not committed."""
        return self._loop.run(self._lag(group, topics))

    def until_committed(self, group: str, topics: Mapping[str, int], within_s: float) -> None:
        """Wait until a group has committed all of these topics; brokers may be away. Raises ``TimeoutError``."""
        self._loop.run(self._until_committed(group, topics), within_s)

    def members(self, group: str) -> int:
        """The number of members with assigned partitions, 0 during a rebalance."""
        return self._loop.run(self._members(group))

    def reset(self, group: str, topics: Mapping[str, int]) -> None:
        """Reset the offsets of an idle group to the start."""
        self._loop.run(self._reset(group, topics))

    def read(self, topics: Mapping[str, int]) -> list[Message]:
        """All messages of these topics."""
        return self._loop.run(self._read(topics))

    def until(self, holds: Callable[[], bool], within_s: float) -> None:
        """Wait for a condition; errors of brokers are retried. Raises ``TimeoutError``."""

        async def watch() -> None:
            while True:
                with suppress(KafkaError):
                    if await asyncio.to_thread(holds):
                        return
                await asyncio.sleep(POLL_S)

        self._loop.run(watch(), within_s)

    async def _renew(self, topics: list[Topic]) -> None:
        await self._delete([topic.name for topic in topics])
        created: set[str] = set()
        while len(created) < len(topics):
            try:
                created |= set(await create_topics(self.bootstrap, topics))
            except KafkaError:
                await asyncio.sleep(POLL_S)
        await self._until_led(topics)

    async def _delete(self, names: list[str]) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            present = sorted(set(await admin.list_topics()) & set(names))
            while present:
                await admin.delete_topics(present)
                await asyncio.sleep(POLL_S)
                present = sorted(set(await admin.list_topics()) & set(names))
        finally:
            await admin.close()

    async def _until_led(self, topics: list[Topic]) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            while True:
                described = await admin.describe_topics([topic.name for topic in topics])
                leaders = [partition["leader"] for topic in described for partition in topic["partitions"]]
                if len(leaders) == sum(topic.partitions for topic in topics) and min(leaders) >= 0:
                    return
                await asyncio.sleep(POLL_S)
        finally:
            await admin.close()

    async def _configure(self, topic: str, config: Mapping[str, str]) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            answers = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, dict(config))])
            for answer in answers:
                for code, *_ in answer.resources:
                    if code:
                        raise for_code(code)
        finally:
            await admin.close()

    async def _send(self, messages: Sequence[Sent]) -> None:
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, linger_ms=2,
                max_request_size=_MESSAGE_BYTES_MAX,
            )  # fmt: skip
            await self._producer.start()
            self._open.push_async_callback(self._producer.stop)
        sent = [
            await self._producer.send(
                message.topic,
                value=message.value,
                key=message.key,
                partition=message.partition,
                headers=list(message.headers),
            )
            for message in messages
        ]
        await asyncio.gather(*sent)

    async def _lag(self, group: str, topics: Mapping[str, int]) -> int:
        name = f"{group} {sorted(topics)}"
        if name not in self._groups:
            self._groups[name] = GroupProgress(self.bootstrap, group, topics)
            await self._groups[name].start()
            self._open.push_async_callback(self._groups[name].stop)
        return (await self._groups[name].lag()).behind

    async def _until_committed(self, group: str, topics: Mapping[str, int]) -> None:
        while True:
            with suppress(KafkaError):
                if not await self._lag(group, topics):
                    return
            await asyncio.sleep(POLL_S)

    async def _members(self, group: str) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            (answer,) = await admin.describe_consumer_groups([group])
        finally:
            await admin.close()
        (described,) = answer.to_object()["groups"]
        if described["state"] != "Stable":
            return 0
        return sum(1 for member in described["members"] if member["member_assignment"])

    async def _reset(self, group: str, topics: Mapping[str, int]) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            assigned = _places(topics)
            consumer.assign(assigned)
            await consumer.commit({partition: OffsetAndMetadata(0, "") for partition in assigned})
        finally:
            await consumer.stop()

    async def _read(self, topics: Mapping[str, int]) -> list[Message]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest",
            max_partition_fetch_bytes=_MESSAGE_BYTES_MAX, fetch_max_wait_ms=20,
        )  # fmt: skip
        await consumer.start()
        try:
            assigned = _places(topics)
            consumer.assign(assigned)
            ends = await consumer.end_offsets(assigned)
            messages: list[Message] = []
            for partition in assigned:
                consumer.seek(partition, 0)
            while any([await consumer.position(partition) < ends[partition] for partition in assigned]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    messages += [
                        Message(
                            record.topic,
                            record.partition,
                            record.offset,
                            record.key,
                            record.value,
                            record.headers,
                            record.timestamp,
                        )
                        for record in records
                    ]
            return messages
        finally:
            await consumer.stop()


def _places(topics: Mapping[str, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic, partitions in topics.items() for number in range(partitions)]
