"""A broker with the product's topics, and the fleet's heartbeats loaded into them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from pipeline.embedded.broker import EmbeddedBroker
from pipeline.kafka.topics import HEARTBEATS, Stage, create_topics, topic, topics
from tests.bench.fleet import Fleet, LargeFleet
from tests.bench.work.loading import quick_lz4
from tests.support.broker.apache import ApacheKafka, available

BrokerName = Literal["Apache Kafka", "embedded broker"]
LOADING_BATCH_BYTES: Final = 1_000_000
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class World:
    """A broker. ``stage`` says how many partitions its topics have."""

    bootstrap: str
    broker: BrokerName
    stage: Stage
    folder: Path

    @property
    def partitions(self) -> int:
        return topic(HEARTBEATS, self.stage).partitions

    @property
    def options(self) -> dict[str, object]:
        """What a job must know of it."""
        return {"bootstrap": self.bootstrap, "stage": self.stage}

    def new_group(self, name: str) -> str:
        """A consumer group that nobody had before."""
        return f"{name}-{next(_numbers)}"


@contextmanager
def world(folder: Path, name: str, *, joining_ms: int = 0) -> Iterator[World]:
    """Apache Kafka where its jars are, else the embedded broker; the product's topics are there, and empty.

    ``joining_ms``: how long the broker waits for further members of a new group (Kafka's own default is 3 s).
    """
    place = folder / name
    place.mkdir(parents=True)
    if available():
        settings = {"group.initial.rebalance.delay.ms": str(joining_ms), "log.retention.check.interval.ms": "86400000"}
        with ApacheKafka(place / "kafka", settings=settings) as kafka:
            asyncio.run(_create_topics(kafka.bootstrap, "single"))
            yield World(kafka.bootstrap, "Apache Kafka", "single", place)
        return
    with asyncio.Runner() as runner:
        broker = runner.run(EmbeddedBroker().__aenter__())
        try:
            runner.run(_create_topics(broker.bootstrap, "embedded"))
            yield World(broker.bootstrap, "embedded broker", "embedded", place)
        finally:
            runner.run(broker.__aexit__(None, None, None))


async def _create_topics(bootstrap: str, stage: Stage) -> None:
    await create_topics(bootstrap, topics(stage), with_config=stage != "embedded")


def load_frames(where: World, fleet: Fleet | LargeFleet, heartbeats: int, start: int = 0) -> None:
    """Write the fleet's frames into ``heartbeats``, over its partitions in turn."""
    turns = itertools.cycle(range(where.partitions))
    with quick_lz4():
        asyncio.run(load(where.bootstrap, ((next(turns), None, frame) for _, frame in fleet.frames(heartbeats, start))))


def load_singles(where: World, fleet: Fleet, heartbeats: int) -> None:
    """Write the same heartbeats one by one into ``heartbeats``, by their keys."""
    choose, partitions = DefaultPartitioner(), list(range(where.partitions))
    chosen: dict[bytes, int] = {}

    def keyed() -> Iterator[tuple[int, bytes, bytes]]:
        for key, value in fleet.singles(heartbeats):
            if key not in chosen:
                chosen[key] = choose(key, partitions, partitions)
            yield chosen[key], key, value

    with quick_lz4():
        asyncio.run(load(where.bootstrap, keyed()))


async def load(bootstrap: str, messages: Iterable[tuple[int, bytes | None, bytes]]) -> None:
    """Write messages to the partitions named, in batches as full as they get."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type="lz4", max_batch_size=LOADING_BATCH_BYTES, acks="all",
        max_request_size=4 * LOADING_BATCH_BYTES,
    )  # fmt: skip
    await producer.start()
    try:
        batches: dict[int, BatchBuilder] = {}
        sent = []
        for partition, key, value in messages:
            batch = batches.get(partition) or producer.create_batch()
            if batch.append(key=key, value=value, timestamp=None) is None:
                sent.append(await producer.send_batch(batch, HEARTBEATS, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
            batches[partition] = batch
        for partition, batch in batches.items():
            sent.append(await producer.send_batch(batch, HEARTBEATS, partition=partition))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
