"""The log of contracts on the embedded broker: a live process reads all of it, then follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import ConsumerRecord

from pipeline.embedded.broker import EmbeddedBroker
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import CONTRACTS, create_topics, topics
from pipeline.kafka.whole_log import WholeLog

WAIT_S_MAX = 60.0


async def _play() -> tuple[list[bytes], list[bytes], list[bytes]]:
    """The values read on entering, after two more messages, and by a late reader."""
    async with EmbeddedBroker() as broker:
        await create_topics(broker.bootstrap, topics("embedded"), with_config=False)
        producer = Producer(broker.bootstrap, idempotent=False)
        await producer.start()

        async def write(*values: bytes) -> int:
            for value in values:
                await producer.write([Outgoing(CONTRACTS, value, value)])
            ((_, end),) = producer.ends.items()
            return end

        try:
            await write(b"first", b"second")
            heard, heard_late = list[bytes](), list[bytes]()
            async with WholeLog(broker.bootstrap, CONTRACTS, _into(heard), fetch_wait_ms=50) as log:
                on_entering = list(heard)
                following = asyncio.create_task(log.follow())
                await asyncio.wait_for(log.reached(await write(b"third", b"fourth")), WAIT_S_MAX)
                following.cancel()
                await asyncio.wait([following])
            async with WholeLog(broker.bootstrap, CONTRACTS, _into(heard_late), fetch_wait_ms=50):
                return on_entering, heard, heard_late
        finally:
            await producer.stop()


def _into(heard: list[bytes]) -> Callable[[ConsumerRecord], None]:
    def hear(record: ConsumerRecord) -> None:
        heard.append(record.value or b"")

    return hear


def test_the_log_is_read_to_its_end_and_then_followed() -> None:
    on_entering, heard, heard_late = asyncio.run(_play())
    assert on_entering == [b"first", b"second"]
    assert heard == heard_late == [b"first", b"second", b"third", b"fourth"]


def test_an_empty_log_is_at_its_end() -> None:
    async def play() -> list[bytes]:
        heard: list[bytes] = []
        async with EmbeddedBroker() as broker:
            await create_topics(broker.bootstrap, topics("embedded"), with_config=False)
            async with asyncio.timeout(WAIT_S_MAX), WholeLog(broker.bootstrap, CONTRACTS, _into(heard)) as log:
                await log.reached(0)
        return heard

    assert asyncio.run(play()) == []
