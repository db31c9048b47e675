"""The log of contracts on the embedded broker: read whole, then followed, by every process that counts live."""

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
    """What was heard on entering, after two more messages, and by another reader that came late."""
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


def test_the_log_is_read_to_its_end_before_anything_is_counted_and_followed_from_then_on() -> None:
    on_entering, heard, heard_late = asyncio.run(_play())
    assert on_entering == [b"first", b"second"]
    assert heard == heard_late == [b"first", b"second", b"third", b"fourth"]


def test_a_log_without_a_message_is_at_its_end() -> None:
    async def play() -> list[bytes]:
        heard: list[bytes] = []
        async with EmbeddedBroker() as broker:
            await create_topics(broker.bootstrap, topics("embedded"), with_config=False)
            async with asyncio.timeout(WAIT_S_MAX), WholeLog(broker.bootstrap, CONTRACTS, _into(heard)) as log:
                await log.reached(0)
        return heard

    assert asyncio.run(play()) == []
