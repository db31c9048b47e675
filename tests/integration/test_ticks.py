"""Ticks: each hour of the completeness mark becomes an order in the log of each account with tokens."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition

from pipeline.agents.tokens.ticks import Ticks
from pipeline.kafka.producer import Producer
from pipeline.kafka.topics import COMMANDS, create_topics, topic
from pipeline.model.instants import HOUR_MS
from tests.support.broker.brokers import BrokerKind

NOON = 1_651_579_200_000


def test_a_tick_is_sent_once_per_hour_and_after_a_restart_with_the_same_id(
    bootstrap: str, broker_kind: BrokerKind
) -> None:
    async def accounts() -> list[str]:
        return ["acme"]

    async def scenario() -> list[int]:
        await create_topics(bootstrap, [topic(COMMANDS, "embedded")], with_config=False)
        producer = Producer(bootstrap, idempotent=broker_kind != "embedded")
        await producer.start()
        try:
            written = []
            ticks = Ticks(producer, accounts)
            for mark in (NOON, NOON + 1, NOON + HOUR_MS - 1, NOON + HOUR_MS, NOON):
                await ticks.give(mark)
                written.append(_total(producer))
            await Ticks(producer, accounts).give(NOON + 7)
            return [*(outgoing - written[0] for outgoing in written), _total(producer) - written[0]]
        finally:
            await producer.stop()

    assert asyncio.run(scenario()) == [0, 0, 0, 1, 1, 2]


def _total(producer: Producer) -> int:
    ends: dict[TopicPartition, int] = producer.ends
    return sum(ends.values())
