"""Questions to Apache Kafka about its brokers and partitions, asked without a running event loop of the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient

Partition = tuple[int, list[int], list[int]]
"""``(leader, replicas, in-sync replicas)`` of a partition; the leader is -1 while there is none."""
Answer = TypeVar("Answer")


def listed_brokers(address: str) -> frozenset[int]:
    """The numbers of the brokers that the metadata of the broker at ``address`` lists."""

    async def ask() -> frozenset[int]:
        client = AIOKafkaClient(bootstrap_servers=address)
        try:
            await client.bootstrap()
            return frozenset(broker.nodeId for broker in client.cluster.brokers())
        finally:
            await client.close()

    return _answer(ask())


def partitions(bootstrap: str, topic: str) -> list[Partition]:
    """The partitions of a topic in their order."""

    async def ask() -> list[Partition]:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            (described,) = await admin.describe_topics([topic])
        finally:
            await admin.close()
        described_partitions = sorted(described["partitions"], key=lambda partition: int(partition["partition"]))
        return [(partition["leader"], partition["replicas"], partition["isr"]) for partition in described_partitions]

    return _answer(ask())


def _answer(question: Coroutine[object, object, Answer]) -> Answer:
    """Run on an event loop of its own, because the caller may be inside one already."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(question)).result()
