"""Bytes in Kafka for a machine's working day: its heartbeats in frames, and the meter's live outputs.

A whole day minute by minute through a broker: each frame is written and stands by itself, the meter's step makes of it
what a live checkpoint would (one heartbeat of each session: nothing folds), and our own producer writes that. Counted
is what then lies on disk: on Apache Kafka its log segments, on the embedded broker, which has none, the same batches.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer

from pipeline.agents.consuming import Message
from pipeline.agents.meter import MeterStep
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import HEARTBEATS, USAGE
from tests.bench.bench import Bench
from tests.bench.fleet import WORKING_MINUTES, Fleet
from tests.bench.worlds import World, world

WORKING_DAYS: Final = 250
"""Of a year."""
WORKING_DAYS_KEPT: Final = 29
"""In the 40 days of retention of ``heartbeats`` and of ``usage`` (schemas/topics)."""


def run(bench: Bench) -> None:
    fleet, results = bench.sizes.fleet, bench.results
    with world(bench.folder, "storage") as where:
        batches = asyncio.run(_a_day(where, fleet))
        stored = {name: _segments(where, name) or batches[name] for name in (HEARTBEATS, USAGE)}
    of_a_machine = {name: size / fleet.machines for name, size in stored.items()}
    a_day = sum(of_a_machine.values())
    results.figure("kafka_bytes_per_machine_day", a_day)
    results.figure("kafka_gb_million_machines_year", a_day * 1_000_000 * WORKING_DAYS / 1e9)
    results.figure("kafka_gb_million_machines_retained", a_day * 1_000_000 * WORKING_DAYS_KEPT / 1e9)
    results.note("kafka_parts", ", ".join(f"{size:,.0f} bytes of {name}" for name, size in of_a_machine.items()))


async def _a_day(where: World, fleet: Fleet) -> dict[str, int]:
    """Write a working day of an account; the bytes of the batches by topic, each message a batch of its own."""
    step, batches = MeterStep("bench"), {HEARTBEATS: 0, USAGE: 0}
    producer = Producer(where.bootstrap, idempotent=where.stage != "embedded")
    sizing = AIOKafkaProducer(bootstrap_servers=where.bootstrap, compression_type="lz4", max_batch_size=1024 * 1024)
    await producer.start()
    await sizing.start()
    try:
        for minute in range(WORKING_MINUTES):
            frame = fleet.frame(0, minute)
            step.take(Message(HEARTBEATS, 0, minute, None, frame, (), fleet.first_at))
            for written in ([Outgoing(HEARTBEATS, None, frame)], step.drain()):
                await producer.write(written)
                for outgoing in written:
                    batch = sizing.create_batch()
                    batch.append(key=outgoing.key, value=outgoing.value, timestamp=None)
                    batch.close()
                    batches[outgoing.topic] += len(batch._build())  # what would be sent
    finally:
        await sizing.stop()
        await producer.stop()
    return batches


def _segments(where: World, topic: str) -> int:
    """The bytes of a topic's log segments on the broker's disk; 0 if it keeps none."""
    return sum(file.stat().st_size for file in _data(where).glob(f"{topic}-[0-9]*/*.log"))


def _data(where: World) -> Path:
    return where.folder / "kafka" / "node-1" / "data"
