"""Bytes in Kafka for a machine's working day: its heartbeats in frames, and what the meter makes of them live.

Live, a checkpoint holds one heartbeat of a session, so nothing folds: the usage topic gets a session day a minute.
"""

from __future__ import annotations

import cramjam

from pipeline.agents.checkpoint import Message
from pipeline.agents.meter import MeterStep
from pipeline.agents.topics import HEARTBEATS
from tests.bench.bench import Bench
from tests.bench.fleet import WORKING_MINUTES

DAYS_KEPT = 40
"""The retention of ``heartbeats`` and of ``usage`` (schemas/topics)."""


def run(bench: Bench) -> None:
    fleet, step = bench.sizes.fleet, MeterStep("bench")
    heartbeats_bytes = usage_bytes = 0
    for minute in range(WORKING_MINUTES):
        frame = fleet.frame(0, minute)
        heartbeats_bytes += len(cramjam.lz4.compress(frame))
        step.take(Message(HEARTBEATS, 0, minute, None, frame, (), fleet.first_at))
        usage_bytes += sum(len(cramjam.lz4.compress(one.value)) for one in step.drain())
    a_day = (heartbeats_bytes + usage_bytes) / fleet.machines
    bench.results.figure("kafka_bytes_per_machine_day", a_day)
    bench.results.figure("kafka_gb_million_machines_40_days", a_day * 1_000_000 * DAYS_KEPT / 1e9)
    bench.results.note(
        "kafka_parts",
        f"{heartbeats_bytes / fleet.machines:,.0f} bytes of heartbeats and {usage_bytes / fleet.machines:,.0f} of "
        "usage for a machine and working day, lz4",
    )
