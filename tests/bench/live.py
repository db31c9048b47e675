"""Latency per frame: from the time at which a frame was due to be sent until its rows are in the store.

At half of peak load, with slow inserts, and behind a backlog. The load does not wait for the pipeline.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from tests.bench.bench import Bench
from tests.bench.jobs import ours
from tests.bench.visible import LIVE_PER_S
from tests.bench.worlds import World, load_frames, world
from tests.support.clickhouse.server import ClickhouseSeam

SLOW_MS = 500
KEPT_UP_SHARES = (0.7, 0.5, 0.35)
KEPT_UP_MS = 5_000.0
"""A frame that waits longer than this at the end of a load waits behind others."""
WARM_UP_S = 2.0
"""The first seconds, in which a new process still loads code, are not measured."""


@dataclass(frozen=True, slots=True)
class Waits:
    """The latency of each frame, and the time at which the last frame was visible."""

    waits_ms: list[float]
    finished_s: float

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.waits_ms, n=100, method="inclusive")[percent - 1]


def run(bench: Bench) -> None:
    """A single process with meter and sink, which flush every 500 and every 1,000 ms."""
    half_peak(bench)
    slow_store(bench)
    behind_backlog(bench)


def half_peak(bench: Bench) -> None:
    """Half of the highest load of the large fleet that is kept up with."""
    results = bench.results
    peak = _kept_up_with(bench)
    with world(bench.folder, "half-peak") as where:
        waits = sent_to_visible(bench, where, peak / 2, store=bench.new_store(where))
    results.figure("kept_up_per_s", peak)
    results.figure("half_peak_per_s", peak / 2)
    results.figure("visible_p50_ms", waits.percentile(50))
    results.figure("visible_p99_ms", waits.percentile(99))
    results.figure("visible_max_ms", max(waits.waits_ms))


def _kept_up_with(bench: Bench) -> float:
    """The highest of some loads, parts of the speed of catching up, at whose end frames wait as long as before."""
    catching_up = statistics.median(bench.results.figures.get("visible_many_per_s", [2.0 * LIVE_PER_S]))
    for share in KEPT_UP_SHARES:
        with world(bench.folder, f"kept-up-{share}") as where:
            seconds = bench.sizes.kept_up_s
            waits = sent_to_visible(bench, where, share * catching_up, store=bench.new_store(where), seconds=seconds)
        last = len(waits.waits_ms) // 10
        if statistics.median(waits.waits_ms[-last:]) < KEPT_UP_MS:
            return share * catching_up
    return KEPT_UP_SHARES[-1] * catching_up / 2


def slow_store(bench: Bench) -> None:
    with world(bench.folder, "slow-store") as where, ClickhouseSeam(where.folder / "slow") as seam:
        seam.fault("slow", times=1_000_000, delay_ms=SLOW_MS)
        waits = sent_to_visible(bench, where, _live_rate(bench), store=seam.dsn)
    bench.results.figure("slow_store_p99_ms", waits.percentile(99))
    bench.results.figure("slow_store_max_ms", max(waits.waits_ms))


def behind_backlog(bench: Bench) -> None:
    sizes = bench.sizes
    with world(bench.folder, "backlog") as where:
        load_frames(where, sizes.large_fleet, sizes.large_frames)
        started_s = time.perf_counter()
        waits = sent_to_visible(
            bench, where, _live_rate(bench), store=bench.new_store(where), backlog=sizes.large_frames
        )
    bench.results.figure("backlog_live_p99_ms", waits.percentile(99))
    bench.results.figure("backlog_caught_up_s", waits.finished_s - started_s)


def sent_to_visible(
    bench: Bench, where: World, load_per_s: float, *, store: str, backlog: int = 0, seconds: float = 0
) -> Waits:
    """Send for a while and wait until all frames are visible. With a backlog, worker and sender start together."""
    sizes, fleet = bench.sizes, bench.sizes.large_fleet
    frame = fleet.frame_members
    sent_heartbeats = int(load_per_s * (seconds or sizes.live_s)) // frame * frame
    worker = bench.pipeline(where, backlog + sent_heartbeats, store=store, trace="yes")
    worker.until("started")
    sender = ours(
        "sender", where.folder, bootstrap=where.bootstrap, partitions=where.partitions, rate=load_per_s,
        seconds=sent_heartbeats / load_per_s, accounts=fleet.accounts, machines=fleet.machines, frame_members=frame,
        start=backlog // frame,
    )  # fmt: skip
    sender.answer()
    worker.answer()
    due_s = {(line["partition"], line["offset"]): line["due_s"] for line in sender.lines() if "due_s" in line}
    seen_s = {(line["partition"], line["offset"]): line["seen_s"] for line in worker.lines() if "seen_s" in line}
    judged_from_s = min(due_s.values()) + (0.0 if backlog else min(WARM_UP_S, sizes.live_s / 4))
    return Waits(
        [1_000 * (seen_s[place] - at_s) for place, at_s in due_s.items() if at_s >= judged_from_s],
        max(seen_s.values()),
    )


def _live_rate(bench: Bench) -> float:
    """The load of a million desktops; less for a small fleet."""
    return min(float(LIVE_PER_S), bench.sizes.frames / 4)
