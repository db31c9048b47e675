"""The benchmark itself, with a few thousand heartbeats on the embedded broker: it runs, and ours does its work.

Nothing here looks at speed. Two workers of one group need Apache Kafka, Quix Streams an environment of its own, and
stock Faust waits 1.5 s for each answer of the embedded broker.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson
import pytest

from tests.bench import durable, live, memory, restart, statements, storage, visible, worlds
from tests.bench.bench import SMOKE, Bench
from tests.bench.fleet import Fleet
from tests.bench.jobs import Job
from tests.bench.report import BEGIN, END, table, write_readme
from tests.bench.results import FIGURES, RATIOS, Results
from tests.bench.worlds import load_frames, world
from tests.support.kafka import Availability

REFERENCES = frozenset({"bare_loop"})


def here(name: str, folder: Path, **options: object) -> Job:
    """A reference under this Python, which has aiokafka and orjson, too."""
    return Job(name, folder, sys.executable, f"tests.bench.references.{name}", options)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(worlds, "available", lambda: Availability("a small broker is enough"))
    return Bench(SMOKE, tmp_path, Results("the embedded broker", say=lambda _: None), REFERENCES, here)


@pytest.mark.parametrize(
    ("scenario", "found"),
    [
        (
            durable.run,
            {"durable_per_s", "durable_single_per_s", "durable_over_bare_loop"},
        ),
        (visible.run, {"visible_per_s", "visible_over_clickhouse_sql", "catch_up_over_live", "rows_per_session_day"}),
        (live.half_peak, {"visible_p50_ms", "visible_p99_ms", "visible_max_ms"}),
        (restart.run, {"restart_s", "seats_rebuilt_s"}),
        (statements.run, {"statement_s", "explain_s", "clickhouse_bytes_per_machine_day"}),
        (storage.run, {"kafka_bytes_per_machine_day", "kafka_gb_million_machines_40_days"}),
        (memory.run, {"memory_20m_over_2m", "rss_20m_mib"}),
    ],
    ids=["durable", "visible", "live", "restart", "statements", "storage", "memory"],
)
def test_each_scenario_finds_its_figures(scenario: Callable[[Bench], None], found: set[str], bench: Bench) -> None:
    scenario(bench)
    results = bench.results
    told: Mapping[str, list[float]] = results.ratios | results.figures
    assert found <= set(told)
    assert all(value > 0 for values in told.values() for value in values)


def test_ours_stores_a_row_for_every_session_day_of_the_fleet(bench: Bench) -> None:
    fleet = Fleet(accounts=3, machines=7)
    with world(bench.folder, "rows") as where:
        load_frames(where, fleet, 2_100)
        job = bench.pipeline(where, 2_100, store=bench.new_store(where))
        assert job.answer()["heartbeats"] == 2_100
        stored = job.until("rows")
    assert stored["rows"] == stored["session_days"] == fleet.session_days(2_100) == 21


def test_a_frame_and_the_single_heartbeats_of_it_say_the_same() -> None:
    fleet = Fleet(accounts=2, machines=3)
    framed = [one for _, frame in fleet.frames(60) for one in orjson.loads(frame)]
    assert framed == [orjson.loads(value) for _, value in fleet.singles(60)]
    assert len({(one["session"], one["at"]) for one in framed}) == 60


def test_the_table_has_every_result_and_replaces_the_last_one_in_the_readme(tmp_path: Path) -> None:
    results = Results("a broker", say=lambda _: None)
    for name in RATIOS:
        results.ratio(name, 2.0)
    for name in FIGURES:
        results.figure(name, 3.0)
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_readme(readme, results)
    assert readme.read_text(encoding="utf-8") == f"before\n{BEGIN}\n{table(results)}\n{END}\nafter\n"
    assert all(f"`{name}`" in table(results) for name in (*RATIOS, *FIGURES))
