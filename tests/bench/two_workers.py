"""Two worker processes of one group against one, over the same frames.

Both and the broker share the machine's cores. How much two could do at most if nothing ever waited is told, too: the
time that one takes, over the CPU time that all processes used meanwhile, spread over every core.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

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
            (alone, busy), (together, _) = (_seconds(bench, where, workers) for workers in (1, 2))
            bench.results.ratio("two_workers_over_one", alone / together)
            bench.results.figure("two_workers_at_most", alone / (busy / (os.cpu_count() or 1)))


def _seconds(bench: Bench, where: World, workers: int) -> tuple[float, float]:
    """From the first message that any of them took until the last checkpoint; and the machine's CPU seconds for it."""
    group, heartbeats = where.new_group("workers"), bench.sizes.two_workers
    # Each job expects more heartbeats than there are, so it works until it is terminated.
    jobs = [
        ours("pipeline", where.folder, **where.options, group=group, heartbeats=heartbeats + 1) for _ in range(workers)
    ]
    for job in jobs:
        job.until("started")
    busy_before_s = _busy_s()
    deadline = time.monotonic() + DONE_S_MAX
    while sum(_done(job) for job in jobs) < heartbeats:
        if time.monotonic() > deadline or any(job.process.poll() is not None for job in jobs):
            for job in jobs:
                job.kill()
            raise JobFailed(f"{workers} workers had done {[_done(job) for job in jobs]} of {heartbeats:,}")
        time.sleep(0.05)
    busy_s = _busy_s() - busy_before_s
    for job in jobs:
        job.terminate()
    for job in jobs:
        job.answer()
    made = [line for job in jobs for line in job.lines() if "done" in line]
    return max(line["at_s"] for line in made) - min(line["started_s"] for line in made), busy_s


def _busy_s() -> float:
    """The CPU time that all processes of the machine have used so far."""
    _, user, nice, system, _ = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=4)
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def _done(job: Job) -> float:
    return max((line["done"] for line in job.lines() if "done" in line), default=0.0)
