"""Faust's Kafka transport with a fetch wait of our choosing, and a consumer that stops while the broker is away.

Faust fixes how long a broker may hold a fetch back for want of data at 1.5 s. Apache Kafka answers as soon as data
arrives; the embedded broker does not, and every hop then waits that long.

aiokafka tries a commit again and again until the broker is back, and a fetch that waits for its next try makes it
take its own close for cancelled. Either way the consumer's thread never tells Faust that it has stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar, Final

import aiokafka
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

LAST_COMMIT_S_MAX: Final = 1.0
"""How long a commit may go on once the app is told to stop. What it does not commit is done again, harmlessly."""

TURN_S: Final = 0.1


def paced_transport(fetch_wait_ms: int) -> type[Transport]:
    """Faust's own transport, but for how long a broker may hold a fetch back, and for how it stops."""

    class PacedThread(AIOKafkaConsumerThread):
        def _create_worker_consumer(self, transport: Transport) -> aiokafka.AIOKafkaConsumer:
            consumer = super()._create_worker_consumer(transport)
            # Read once, when the consumer starts; the pinned Faust offers no setting for it.
            consumer._fetch_max_wait_ms = fetch_wait_ms  # noqa: SLF001
            return consumer

        async def _commit(self, offsets: Mapping[TP, int]) -> bool:
            commit = asyncio.ensure_future(super()._commit(offsets))
            while not commit.done():
                last = self.app.should_stop
                await asyncio.wait({commit}, timeout=LAST_COMMIT_S_MAX if last else TURN_S)
                if last and not commit.done():
                    commit.cancel()
                    return False
            return commit.result()

        async def on_thread_stop(self) -> None:
            try:
                await super().on_thread_stop()
            except asyncio.CancelledError:
                if self._consumer is not None:
                    await self._consumer._client.close()  # noqa: SLF001

    class PacedConsumer(Consumer):
        def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
            return PacedThread(self, loop=self.loop, beacon=self.beacon)

    class PacedTransport(Transport):
        Consumer: ClassVar[type[Consumer]] = PacedConsumer

    return PacedTransport
