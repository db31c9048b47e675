"""The meter's resident memory after two and after twenty million heartbeats of the same fleet.

Measured once, because twenty million take a minute or more. They are written while the meter reads them.
"""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.worlds import load_frames, world

DONE_S_MAX = 400.0


def run(bench: Bench) -> None:
    sizes = bench.sizes
    first, last = sizes.memory
    with world(bench.folder, "memory") as where:
        job = bench.pipeline(where, last)
        load_frames(where, sizes.fleet, last)
        job.answer(DONE_S_MAX)
        lines = [line for line in job.lines() if "done" in line]
    after_first = next(line["rss_mib"] for line in lines if line["done"] >= first)
    bench.results.ratio("memory_20m_over_2m", lines[-1]["rss_mib"] / after_first)
    bench.results.figure("rss_20m_mib", lines[-1]["rss_mib"])
