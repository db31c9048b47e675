"""The pool of brokers: a lease starts with an empty broker."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from pipeline.kafka.topics import create_topics, topics
from tests.support.broker.apache import available
from tests.support.broker.broker_lease import lease
from tests.support.broker.broker_pool import BrokerPool


async def topics_of(bootstrap: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return [name for name in await admin.list_topics() if not name.startswith("__")]
    finally:
        await admin.close()


@pytest.mark.skipif(not available(), reason=available().reason)
def test_a_broker_is_lent_again_empty_after_its_lease(tmp_path: Path) -> None:
    with BrokerPool(tmp_path, brokers_max=1) as pool:
        with lease(pool.address) as first:
            asyncio.run(create_topics(first, topics("embedded"), with_config=False))
            assert asyncio.run(topics_of(first))
        with lease(pool.address) as second:
            assert second == first
            assert asyncio.run(topics_of(second)) == []
