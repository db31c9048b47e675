"""Apache Kafka in the tests: acknowledged messages survive, and topics have the settings of ``schemas/topics``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import Topic, create_topics, topics
from tests.support.broker.apache import ApacheKafka, available

pytestmark = pytest.mark.skipif(not available(), reason=available().reason)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    with ApacheKafka(tmp_path_factory.mktemp("one")) as running:
        yield running


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    with ApacheKafka(tmp_path_factory.mktemp("three"), brokers=3) as running:
        yield running


def test_produced_messages_survive_a_restart_of_the_broker(kafka: ApacheKafka) -> None:
    _create(kafka, Topic("restarted", 1, 1, {}))
    _write(kafka, "restarted", _numbers(0, 100))
    kafka.stop(1)
    assert kafka.running() == frozenset()
    kafka.start(1)
    _write(kafka, "restarted", _numbers(100, 200))
    assert _read(kafka, "restarted", 200) == _numbers(0, 200)


def test_acknowledged_messages_survive_a_kill_of_the_broker(kafka: ApacheKafka) -> None:
    _create(kafka, Topic("killed", 1, 1, {}))
    _write(kafka, "killed", _numbers(0, 100))
    kafka.kill(1)
    kafka.start(1)
    _write(kafka, "killed", _numbers(100, 200))
    assert _read(kafka, "killed", 200) == _numbers(0, 200)


def test_a_paused_broker_answers_again_after_it_is_resumed(kafka: ApacheKafka) -> None:
    _create(kafka, Topic("paused", 1, 1, {}))
    kafka.pause(1)

    async def write() -> None:
        producer = Producer(kafka.bootstrap)
        starting = asyncio.ensure_future(producer.start())
        done, _ = await asyncio.wait([starting], timeout=0.5)
        assert not done
        kafka.resume(1)
        await starting
        await producer.write([Outgoing("paused", None, b"1")])
        await producer.stop()

    asyncio.run(write())
    assert _read(kafka, "paused", 1) == [b"1"]


def test_an_idempotent_producer_writes_each_message_once_in_order_during_a_restart(
    kafka: ApacheKafka,
) -> None:
    _create(kafka, Topic("idempotent", 1, 1, {}))

    async def write() -> None:
        producer = Producer(kafka.bootstrap, idempotent=True)
        await producer.start()
        try:
            await producer.write([Outgoing("idempotent", None, value) for value in _numbers(0, 500)])
            restarting = asyncio.ensure_future(asyncio.to_thread(_restart, kafka))
            for start in range(500, 1000, 50):
                await producer.write([Outgoing("idempotent", None, value) for value in _numbers(start, start + 50)])
            await restarting
            await producer.write([Outgoing("idempotent", None, value) for value in _numbers(1000, 1500)])
        finally:
            await producer.stop()

    asyncio.run(write())
    assert _read(kafka, "idempotent", 1500) == _numbers(0, 1500)


def test_a_change_of_leader_loses_no_message_that_all_in_sync_replicas_acknowledged(three: ApacheKafka) -> None:
    _create(three, Topic("led", 1, 3, {"min.insync.replicas": "2"}))
    three.until_in_sync("led")
    first = three.leader("led")

    async def write() -> None:
        producer = Producer(three.bootstrap)
        await producer.start()
        try:
            await producer.write([Outgoing("led", None, value) for value in _numbers(0, 500)])
            killing = asyncio.ensure_future(asyncio.to_thread(three.kill, first))
            for start in range(500, 1500, 50):
                await producer.write([Outgoing("led", None, value) for value in _numbers(start, start + 50)])
            await killing
            await producer.write([Outgoing("led", None, value) for value in _numbers(1500, 2000)])
        finally:
            await producer.stop()

    asyncio.run(write())
    assert three.leader("led") not in {first, -1}
    assert three.running() == frozenset(three.nodes) - {first}
    assert _read(three, "led", 2000) == _numbers(0, 2000)
    three.start(first)
    three.until_in_sync("led")
    assert _read(three, "led", 2000) == _numbers(0, 2000)


def test_topics_on_a_single_broker_have_the_settings_of_their_files(kafka: ApacheKafka) -> None:
    wanted = topics("single")
    assert set(asyncio.run(create_topics(kafka.bootstrap, wanted))) == {spec.name for spec in wanted}
    assert asyncio.run(create_topics(kafka.bootstrap, wanted)) == ()
    _assert_settings_of_files(kafka, wanted)


def test_topics_on_three_brokers_have_the_settings_of_their_files(three: ApacheKafka) -> None:
    wanted = topics("production")
    asyncio.run(create_topics(three.bootstrap, wanted))
    three.until_in_sync(*(spec.name for spec in wanted))
    _assert_settings_of_files(three, wanted)


def _assert_settings_of_files(kafka: ApacheKafka, wanted: Sequence[Topic]) -> None:
    stated = {spec.name: (spec.partitions, spec.replication, dict(spec.config)) for spec in wanted}
    assert asyncio.run(_existing_topics(kafka.bootstrap, wanted)) == stated
    for _, _, config in stated.values():
        assert config["message.timestamp.type"] == "LogAppendTime"
        assert {"retention.ms", "max.message.bytes", "min.insync.replicas"} <= config.keys()


async def _existing_topics(bootstrap: str, wanted: Sequence[Topic]) -> Mapping[str, tuple[int, int, Mapping[str, str]]]:
    """Partitions, replicas, and the settings that the topic's file names."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = {
            answer["topic"]: answer["partitions"] for answer in await admin.describe_topics([t.name for t in wanted])
        }
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in wanted])
    finally:
        await admin.close()
    configs: dict[str, dict[str, str]] = {}
    for answer in answers:
        for _, _, _, name, entries in answer.resources:
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return {
        spec.name: (
            len(described[spec.name]),
            len(described[spec.name][0]["replicas"]),
            {name: configs[spec.name][name] for name in spec.config},
        )
        for spec in wanted
    }


def _restart(kafka: ApacheKafka) -> None:
    kafka.kill(1)
    kafka.start(1)


def _numbers(start: int, end: int) -> list[bytes]:
    return [b"%d" % number for number in range(start, end)]


def _create(kafka: ApacheKafka, topic: Topic) -> None:
    assert asyncio.run(create_topics(kafka.bootstrap, [topic])) == (topic.name,)


def _write(kafka: ApacheKafka, topic: str, values: Iterable[bytes]) -> None:
    async def write() -> None:
        producer = Producer(kafka.bootstrap)
        await producer.start()
        try:
            await producer.write([Outgoing(topic, None, value) for value in values])
        finally:
            await producer.stop()

    asyncio.run(write())


def _read(kafka: ApacheKafka, topic: str, count: int) -> list[bytes]:
    """All messages of a topic with a single partition, at least ``count`` of them."""

    async def read() -> list[bytes]:
        consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            partition = TopicPartition(topic, 0)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            assert end >= count
            values: list[bytes] = []
            while len(values) < count or (await consumer.position(partition)) < end:
                fetched = await consumer.getmany(partition, timeout_ms=1_000)
                values += [message.value for message in fetched.get(partition, [])]
            return values
        finally:
            await consumer.stop()

    return asyncio.run(asyncio.wait_for(read(), 30))
