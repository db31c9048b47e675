"""Heartbeats to rows in ClickHouse, against ClickHouse's own SQL computing the same table from the same heartbeats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

from tests.bench.bench import Bench, rate
from tests.bench.fleet import Fleet, LargeFleet
from tests.bench.jobs import ours
from tests.bench.worlds import load_frames, world

LIVE_PER_S: Final = 16_700
"""One heartbeat a minute from a million desktops."""


def run(bench: Bench) -> None:
    """The small fleet, then the large one."""
    sizes, results = bench.sizes, bench.results
    for visible, sql in _turns(bench, sizes.fleet, sizes.visible, sizes.repetitions):
        results.figure("visible_per_s", visible)
        results.figure("clickhouse_sql_per_s", sql)
        results.ratio("visible_over_clickhouse_sql", visible / sql)
    for visible, sql in _turns(bench, sizes.large_fleet, sizes.large_frames, min(3, sizes.repetitions)):
        results.figure("visible_many_per_s", visible)
        results.ratio("catch_up_over_live", visible / LIVE_PER_S)
        results.ratio("visible_many_over_clickhouse_sql", visible / sql)


def _turns(bench: Bench, fleet: Fleet | LargeFleet, heartbeats: int, repetitions: int) -> Iterator[tuple[float, float]]:
    """Ours and ClickHouse's SQL in turns over the same heartbeats: heartbeats/s of each."""
    file = bench.folder / "heartbeats.ndjson"
    write_ndjson(file, fleet, heartbeats)
    with world(bench.folder, f"visible-{fleet.sessions}") as where:
        load_frames(where, fleet, heartbeats)
        for _ in range(repetitions):
            job = bench.pipeline(where, heartbeats, store=bench.new_store(where))
            visible = rate(job.answer())
            stored = job.until("rows")
            assert stored["session_days"] == fleet.session_days(heartbeats), "every session day is stored"
            bench.results.ratio("rows_per_session_day", stored["rows"] / stored["session_days"])
            sql = ours("sql", where.folder, file=file, store=bench.new_store(where)).answer()
            assert sql["session_days"] == stored["session_days"], "SQL makes the same session days"
            yield visible, rate(sql)
    file.unlink()


def write_ndjson(file: Path, fleet: Fleet | LargeFleet, heartbeats: int) -> None:
    """The heartbeats of the fleet's frames, one on a line."""
    with file.open("wb") as lines:
        for _, frame in fleet.frames(heartbeats):
            lines.writelines(orjson.dumps(member) + b"\n" for member in orjson.loads(frame))
