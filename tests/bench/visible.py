"""Heartbeats to rows in ClickHouse, against ClickHouse's own SQL computing the same table from the same heartbeats."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import orjson

from tests.bench.bench import Bench, rate
from tests.bench.fleet import Fleet
from tests.bench.jobs import ours
from tests.bench.worlds import load_frames, world

LIVE_PER_S: Final = 16_700
"""One heartbeat a minute from a million desktops."""


def run(bench: Bench) -> None:
    sizes, results = bench.sizes, bench.results
    file = bench.folder / "heartbeats.ndjson"
    write_ndjson(file, sizes.fleet, sizes.visible)
    with world(bench.folder, "visible") as where:
        load_frames(where, sizes.fleet, sizes.visible)
        for _ in range(sizes.repetitions):
            job = bench.pipeline(where, sizes.visible, store=bench.new_store(where))
            visible = rate(job.answer())
            results.figure("visible_per_s", visible)
            results.ratio("catch_up_over_live", visible / LIVE_PER_S)
            stored = job.until("rows")
            assert stored["session_days"] == sizes.fleet.session_days(sizes.visible), "every session day is stored"
            results.ratio("rows_per_session_day", stored["rows"] / stored["session_days"])
            sql = ours("sql", where.folder, file=file, store=bench.new_store(where)).answer()
            assert sql["session_days"] == stored["session_days"], "SQL makes the same session days"
            results.figure("clickhouse_sql_per_s", rate(sql))
            results.ratio("visible_over_clickhouse_sql", visible / rate(sql))
    file.unlink()


def write_ndjson(file: Path, fleet: Fleet, heartbeats: int) -> None:
    """The heartbeats of the fleet's frames, one on a line."""
    with file.open("wb") as lines:
        for _, frame in fleet.frames(heartbeats):
            lines.writelines(orjson.dumps(member) + b"\n" for member in orjson.loads(frame))
