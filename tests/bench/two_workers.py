"""Two worker processes of one group against one, over the same frames."""

from __future__ import annotations

import time

from tests.bench.bench import Bench
from tests.bench.jobs import Job, JobFailed, ours
from tests.bench.worlds import World, load_frames, world

JOINING_MS = 3_000
"""Kafka's own default: both are in the group's first generation, so that neither begins alone."""
DONE_S_MAX = 120.0


def run(bench: Bench) -> None:
    sizes = bench.sizes
    with world(bench.folder, "two-workers", joining_ms=JOINING_MS) as where:
        load_frames(where, sizes.fleet, sizes.two_workers)
        for _ in range(sizes.repetitions):
            one, two = (_seconds(bench, where, workers) for workers in (1, 2))
            bench.results.ratio("two_workers_over_one", one / two)


def _seconds(bench: Bench, where: World, workers: int) -> float:
    """From the first message that any of them took until the last checkpoint that was made."""
    group, heartbeats = where.new_group("workers"), bench.sizes.two_workers
    # Each is to do more than there is: it works until it is told to end.
    jobs = [
        ours("pipeline", where.folder, **where.options, group=group, heartbeats=heartbeats + 1) for _ in range(workers)
    ]
    deadline = time.monotonic() + DONE_S_MAX
    while sum(_done(job) for job in jobs) < heartbeats:
        if time.monotonic() > deadline or any(job.process.poll() is not None for job in jobs):
            for job in jobs:
                job.kill()
            raise JobFailed(f"{workers} workers had done {[_done(job) for job in jobs]} of {heartbeats:,}")
        time.sleep(0.05)
    for job in jobs:
        job.tell_to_end()
    for job in jobs:
        job.answer()
    made = [line for job in jobs for line in job.lines() if "done" in line]
    return max(line["at_s"] for line in made) - min(line["started_s"] for line in made)


def _done(job: Job) -> float:
    return max((line["done"] for line in job.lines() if "done" in line), default=0.0)
