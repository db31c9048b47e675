"""Faust's Kafka transport with a fetch wait of our choosing, and a consumer that stops while the broker is away.

Faust fixes how long a broker may hold a fetch back for want of data at 1.5 s. Apache Kafka answers as soon as data
arrives; the embedded broker does not, and every hop then waits that long.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

import aiokafka
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport


def paced_transport(fetch_wait_ms: int) -> type[Transport]:
    """Faust's own transport, but for how long a broker may hold a fetch back."""

    class PacedThread(AIOKafkaConsumerThread):
        def _create_worker_consumer(self, transport: Transport) -> aiokafka.AIOKafkaConsumer:
            consumer = super()._create_worker_consumer(transport)
            # Read once, when the consumer starts; the pinned Faust offers no setting for it.
            consumer._fetch_max_wait_ms = fetch_wait_ms  # noqa: SLF001
            return consumer

        async def on_thread_stop(self) -> None:
            try:
                await super().on_thread_stop()
            except asyncio.CancelledError:
                # aiokafka cancels a fetch that waits for its next try, and takes that for its own end. The thread would
                # end with it and never say so; Faust waits a minute for that before it goes on stopping.
                if self._consumer is not None:
                    await self._consumer._client.close()  # noqa: SLF001

    class PacedConsumer(Consumer):
        def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
            return PacedThread(self, loop=self.loop, beacon=self.beacon)

    class PacedTransport(Transport):
        Consumer: ClassVar[type[Consumer]] = PacedConsumer

    return PacedTransport
