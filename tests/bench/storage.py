"""Bytes in Kafka for a machine's working day: its heartbeats in a gateway's frames, and the meter's live outputs.

The large fleet sends at a rate; its frames are what a gateway gathers in 10 ms, each a batch of its own. The meter's
step makes a checkpoint of what came within an interval, at most a heartbeat of each session, so nothing folds. Counted
are the batches as our producer would send them: a broker keeps them as they come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaProducer

from pipeline.agents.consuming import Message
from pipeline.agents.meter import MeterStep
from pipeline.kafka.producer import COMPRESSION, Outgoing
from pipeline.kafka.topics import HEARTBEATS, USAGE
from tests.bench.bench import Bench
from tests.bench.fleet import FIRST_DAY_AT, WORKING_MINUTES, LargeFleet
from tests.bench.worlds import World, world

WORKING_DAYS: Final = 250
"""Of a year."""
WORKING_DAYS_KEPT: Final = 29
"""In the 40 days of retention of ``heartbeats`` and of ``usage`` (schemas/topics)."""
FRAMES_PER_S: Final = 100
"""A gateway's frame is open for 10 ms."""
CHECKPOINT_S: Final = 0.5


def run(bench: Bench) -> None:
    fleet, results = bench.sizes.large_fleet, bench.results
    few = LargeFleet(fleet.accounts, fleet.machines, max(1, fleet.frame_members // 10))
    with world(bench.folder, "storage") as where:
        live = asyncio.run(_per_machine_day(bench, where, few, CHECKPOINT_S))
        busy = asyncio.run(_per_machine_day(bench, where, fleet, CHECKPOINT_S))
        for seconds in (2, 10, 60):
            longer = asyncio.run(_per_machine_day(bench, where, few, seconds))
            results.figure(f"kafka_usage_per_machine_day_{seconds}_s", longer[USAGE])
    a_day = sum(live.values())
    results.figure("kafka_bytes_per_machine_day", a_day)
    results.figure("kafka_heartbeats_per_machine_day", live[HEARTBEATS])
    results.figure("kafka_usage_per_machine_day", live[USAGE])
    results.figure("kafka_bytes_per_machine_day_at_17000", sum(busy.values()))
    results.figure("kafka_gb_million_machines_year", a_day * 1_000_000 * WORKING_DAYS / 1e9)
    results.figure("kafka_gb_million_machines_retained", a_day * 1_000_000 * WORKING_DAYS_KEPT / 1e9)


async def _per_machine_day(bench: Bench, where: World, fleet: LargeFleet, checkpoint_s: float) -> dict[str, float]:
    """By topic the bytes of a machine's working day, from the batches of some heartbeats."""
    step, sizes = MeterStep("bench"), {HEARTBEATS: 0, USAGE: 0}
    frames_each = round(FRAMES_PER_S * checkpoint_s)
    checkpoints = max(1, bench.sizes.stored_heartbeats // (frames_each * fleet.frame_members))
    frames = fleet.frames(checkpoints * frames_each * fleet.frame_members)
    async with _sizing(where) as producer:
        for number, (_, frame) in enumerate(frames, 1):
            received_at = FIRST_DAY_AT + number * 1_000 // FRAMES_PER_S
            step.take(Message(HEARTBEATS, number % where.partitions, number, None, frame, (), received_at))
            sizes[HEARTBEATS] += _batch_bytes(producer, Outgoing(HEARTBEATS, None, frame))
            if number % frames_each == 0:
                for outgoing in step.drain().outgoing(where.partitions):
                    sizes[USAGE] += _batch_bytes(producer, outgoing)
    days = checkpoints * frames_each * fleet.frame_members / WORKING_MINUTES
    return {name: size / days for name, size in sizes.items()}


@asynccontextmanager
async def _sizing(where: World) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=where.bootstrap, compression_type=COMPRESSION, max_batch_size=1024 * 1024
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def _batch_bytes(producer: AIOKafkaProducer, outgoing: Outgoing) -> int:
    """The bytes of a batch of one message, as it would be sent."""
    batch = producer.create_batch()
    batch.append(key=outgoing.key, value=outgoing.value, timestamp=None)
    batch.close()
    return len(batch._build())
