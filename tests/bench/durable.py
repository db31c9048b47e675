"""The durable path and single heartbeats, compared with a bare loop, Quix Streams and stock Faust in turns."""

from __future__ import annotations

from typing import Final

from tests.bench.bench import Bench, Sizes, rate
from tests.bench.worlds import load_frames, load_singles, world

REFERENCES: Final = {
    "bare_loop": ("bare_loop_per_s", "durable_over_bare_loop"),
    "quix_window": ("quixstreams_per_s", "durable_over_quixstreams"),
    "faust_table": ("stock_faust_table_per_s", "durable_over_stock_faust"),
}
"""References that read single messages, with the names of figure and ratio."""


def run(bench: Bench) -> None:
    """Run ours before every reference, over the same heartbeats, so that other load of the machine affects both."""
    sizes, results = bench.sizes, bench.results
    with world(bench.folder, "frames") as frames, world(bench.folder, "singles") as singles:
        load_frames(frames, sizes.fleet, sizes.frames)
        load_singles(singles, sizes.fleet, sizes.bare_singles)
        for _ in range(sizes.repetitions):
            answer = bench.pipeline(frames, sizes.frames).answer()
            durable = rate(answer)
            results.figure("durable_per_s", durable)
            results.figure("durable_per_cpu_s", answer["heartbeats"] / answer["cpu_seconds"])
            on_frames = rate(bench.reference("bare_loop", frames, sizes.frames).answer())
            results.figure("bare_loop_on_frames_per_s", on_frames)
            results.ratio("durable_over_bare_loop_on_frames", durable / on_frames)
            for name, (figure, ratio) in REFERENCES.items():
                if name in bench.references:
                    per_second = rate(bench.reference(name, singles, _heartbeats(sizes, name)).answer())
                    results.figure(figure, per_second)
                    results.ratio(ratio, durable / per_second)
            single = rate(bench.pipeline(singles, sizes.singles).answer())
            results.figure("durable_single_per_s", single)
            if "faust_map" in bench.references:
                decoding = rate(bench.reference("faust_map", singles, sizes.stock_map).answer())
                results.figure("stock_faust_map_per_s", decoding)
                results.ratio("single_over_stock_faust_map", single / decoding)
    large_fleet(bench)


def large_fleet(bench: Bench) -> None:
    """A session for each desktop: ours and the bare loop in turns, then what a session more costs."""
    sizes, results = bench.sizes, bench.results
    with world(bench.folder, "large") as where:
        load_frames(where, sizes.large_fleet, sizes.large_frames)
        for _ in range(sizes.repetitions):
            answer = bench.pipeline(where, sizes.large_frames).answer()
            on_frames = rate(bench.reference("bare_loop", where, sizes.large_frames).answer())
            results.figure("many_sessions_per_s", rate(answer))
            results.figure("many_sessions_per_cpu_s", answer["heartbeats"] / answer["cpu_seconds"])
            results.figure("bare_loop_on_large_frames_per_s", on_frames)
            results.ratio("many_sessions_over_bare_loop_on_frames", rate(answer) / on_frames)
    with world(bench.folder, "fewer") as fewer, world(bench.folder, "more") as more:
        load_frames(fewer, sizes.fewer_sessions, sizes.large_frames)
        load_frames(more, sizes.more_sessions, sizes.large_frames)
        for _ in range(min(3, sizes.repetitions)):
            costs = [bench.pipeline(where, sizes.large_frames).answer()["cpu_seconds"] for where in (fewer, more)]
            results.ratio("a_million_sessions_over_20000", costs[1] / costs[0])


def _heartbeats(sizes: Sizes, name: str) -> int:
    return {"bare_loop": sizes.bare_singles, "quix_window": sizes.quixstreams, "faust_table": sizes.stock_table}[name]
