"""The test's own Kafka clients, on an event loop of their own: what is sent, how far groups are, what the log holds."""

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
    """An event loop in a thread, for callers that have none. ``with`` starts and ends it."""

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
        """Run it on the loop and wait for its end. Raises ``TimeoutError``."""
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, within_s), self._loop).result()


class KafkaClient:
    """Everything a scenario asks of its brokers. Blocks until it is so."""

    def __init__(self, loop: Loop, bootstrap: str) -> None:
        self._loop, self.bootstrap = loop, bootstrap
        self._open = AsyncExitStack()
        self._producer: AIOKafkaProducer | None = None
        self._groups: dict[str, GroupProgress] = {}

    def close(self) -> None:
        self._loop.run(self._open.aclose())

    def renew(self, topics: Iterable[Topic]) -> None:
        """Have these topics, empty."""
        self._loop.run(self._renew(list(topics)))

    def create(self, topics: Iterable[Topic]) -> None:
        """Create topics that are not there."""
        self._loop.run(create_topics(self.bootstrap, topics))

    def delete(self, *names: str) -> None:
        """Delete topics."""
        self._loop.run(self._delete(list(names)))

    def configure(self, topic: str, config: Mapping[str, str]) -> None:
        """Alter a topic's settings."""
        self._loop.run(self._configure(topic, config))

    def send(self, messages: Sequence[Sent]) -> None:
        """Send, and wait until the brokers have everything."""
        self._loop.run(self._send(messages))

    def lag(self, group: str, topics: Mapping[str, int]) -> int:
        """How many messages of these topics (and their partitions) a group has not committed."""
        return self._loop.run(self._lag(group, topics))

    def until_committed(self, group: str, topics: Mapping[str, int], within_s: float) -> None:
        """Wait until a group has committed all of these topics, whoever is away meanwhile. Raises ``TimeoutError``."""
        self._loop.run(self._until_committed(group, topics), within_s)

    def members(self, group: str) -> int:
        """How many members a group has that own something, 0 while it is being balanced."""
        return self._loop.run(self._members(group))

    def reset(self, group: str, topics: Mapping[str, int]) -> None:
        """Put an idle group's offsets back to the start."""
        self._loop.run(self._reset(group, topics))

    def read(self, topics: Mapping[str, int]) -> list[Message]:
        """Everything that stands in these topics."""
        return self._loop.run(self._read(topics))

    def until(self, holds: Callable[[], bool], within_s: float) -> None:
        """Wait until something holds; a broker that cannot say is asked again. Raises ``TimeoutError``."""

        async def watch() -> None:
            while True:
                with suppress(KafkaError):
                    if await asyncio.to_thread(holds):
                        return
                await asyncio.sleep(POLL_S)

        self._loop.run(watch(), within_s)

    async def _renew(self, topics: list[Topic]) -> None:
        await self._delete([one.name for one in topics])
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
                described = await admin.describe_topics([one.name for one in topics])
                leaders = [partition["leader"] for one in described for partition in one["partitions"]]
                if len(leaders) == sum(one.partitions for one in topics) and min(leaders) >= 0:
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
                one.topic, value=one.value, key=one.key, partition=one.partition, headers=list(one.headers)
            )
            for one in messages
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
            await consumer.commit({one: OffsetAndMetadata(0, "") for one in assigned})
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
            found: list[Message] = []
            for one in assigned:
                consumer.seek(one, 0)
            while any([await consumer.position(one) < ends[one] for one in assigned]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [
                        Message(one.topic, one.partition, one.offset, one.key, one.value, one.headers, one.timestamp)
                        for one in records
                    ]
            return found
        finally:
            await consumer.stop()


def _places(topics: Mapping[str, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, one) for topic, partitions in topics.items() for one in range(partitions)]
