"""A worker restarted amid a million open sessions: from the start of its process until new rows are visible.

Meter and sink keep no state, so what is open elsewhere costs them nothing. The seats agent keeps live counts, a cache:
it takes in new usage at once, and knows all that was open once it has read the store.
"""

from __future__ import annotations

import time

from pipeline.model.instants import day_of
from tests.bench.bench import Bench
from tests.bench.fleet import FIRST_DAY_AT
from tests.bench.jobs import ours
from tests.bench.worlds import load_frames, world


def run(bench: Bench) -> None:
    sizes = bench.sizes
    with world(bench.folder, "restart") as where:
        store = bench.new_store(where)
        day = day_of(FIRST_DAY_AT)
        ours("open_sessions", where.folder, store=store, sessions=sizes.open_sessions, day=day).answer()
        load_frames(where, sizes.fleet, sizes.fleet.sessions)
        group = where.new_group("restarted")
        waiting = sizes.fleet.sessions
        for number in range(sizes.repetitions):
            started_s = time.perf_counter()
            job = ours("pipeline", where.folder, **where.options, group=group, heartbeats=waiting, store=store)
            job.answer()
            first = min(line["at_s"] for line in job.lines() if "done" in line)
            bench.results.figure("restart_s", first - started_s)
            load_frames(where, sizes.fleet, sizes.fleet.sessions, start=(number + 1) * sizes.fleet.accounts)
        rebuilt = ours("seats", where.folder, **where.options, group=group, store=store).answer()
        bench.results.figure("seats_rebuilt_s", rebuilt["seconds"])
        bench.results.note(
            "seats_rebuilt", f"{rebuilt['accounts']:.0f} accounts, {rebuilt['rss_mib']:,.0f} MiB resident"
        )
