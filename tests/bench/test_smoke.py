"""The benchmark itself with a few thousand heartbeats on the embedded broker: it runs and measures correctly.

Nothing here looks at speed. What is left to ``make bench`` and its ``--smoke``: two workers of one group and a worker's
idempotent producer, which need Apache Kafka; Quix Streams, in an environment of its own; stock Faust, which waits 1.5 s
for each answer of the embedded broker; and what the same job does once more (single heartbeats, live loads, memory).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from pipeline.codec.flexnet import read_flexnet
from tests.bench import command_line, license_logs, statements, storage, visible, worlds
from tests.bench.bench import SMOKE, Bench
from tests.bench.fleet import Fleet
from tests.bench.jobs import Job
from tests.bench.license_server import LicenseServer
from tests.bench.report import BEGIN, END, headline, table, write_documents
from tests.bench.results import FIGURES, RATIOS, Results
from tests.bench.worlds import load_frames, load_singles, world
from tests.support.broker.apache import Availability

REFERENCES = frozenset({"bare_loop"})


def here(name: str, folder: Path, **options: object) -> Job:
    """A reference under this Python, which also has aiokafka and orjson."""
    return Job(name, folder, sys.executable, f"tests.bench.references.{name}", options)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(worlds, "available", lambda: Availability("a small broker is enough"))
    sizes = replace(SMOKE, statement_machines=20, statement_days=45, visible=2_000)
    return Bench(sizes, tmp_path, Results("the embedded broker", say=lambda _: None), REFERENCES, here)


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (visible.run, {"visible_per_s", "visible_over_clickhouse_sql", "catch_up_over_live", "rows_per_session_day"}),
        (statements.run, {"statement_s", "explain_s", "clickhouse_bytes_per_machine_day"}),
        (storage.run, {"kafka_bytes_per_machine_day", "kafka_gb_million_machines_year"}),
        (command_line.run, {"run_over_clickhouse_sql", "run_s", "run_mib", "version_s", "small_statement_s"}),
        (license_logs.run, {"log_lines_per_cpu_s", "log_reading_over_expression", "log_run_over_heartbeats"}),
    ],
    ids=["visible", "statements", "storage", "command-line", "licence-logs"],
)
def test_each_scenario_measures_its_figures(
    scenario: Callable[[Bench], None], expected: set[str], bench: Bench
) -> None:
    """``visible`` compares what ours stored with what ClickHouse's SQL computes from the same heartbeats."""
    scenario(bench)
    results = bench.results
    measured: Mapping[str, list[float]] = results.ratios | results.figures
    assert expected <= set(measured)
    assert all(value > 0 for values in measured.values() for value in values)


def test_the_bare_loop_counts_every_heartbeat_of_frames_and_of_single_messages(bench: Bench) -> None:
    fleet = Fleet(accounts=2, machines=5)
    with world(bench.folder, "loop") as where:
        load_frames(where, fleet, 100)
        load_singles(where, fleet, 100)
        assert bench.reference("bare_loop", where, 200).answer()["counted"] == 200


def test_a_made_up_licence_log_holds_its_events_and_reads_without_remarks() -> None:
    lines = [*LicenseServer(users=30, products=3).log(3_000)]
    log = read_flexnet([("lmgrd.log", lines)], account="acme")
    events = [line for line in lines if b"OUT:" in line or b"IN:" in line or b"DENIED:" in line]
    assert 3_000 <= len(events) <= 3_001
    returned = sum(session.heartbeat["state"] == "close" for session in log.sessions)
    assert len(log.sessions) + returned + len(log.denials) == len(events)
    assert (log.broken, log.unmatched_ins, log.notes) == ((), (), ())


def test_the_results_are_ratios_figures_machine_and_versions() -> None:
    results = Results("a broker", say=lambda _: None)
    results.ratio("durable_over_bare_loop", 1.0)
    results.ratio("durable_over_bare_loop", 3.0)
    record = orjson.loads(results.as_json())
    assert list(record) == ["ratios", "figures", "machine", "versions"]
    assert record["ratios"] == {"durable_over_bare_loop": 2.0}
    assert orjson.loads(results.details())["spread"]["durable_over_bare_loop"]["max"] == 3.0


def test_a_frame_has_the_same_heartbeats_as_the_single_messages() -> None:
    fleet = Fleet(accounts=2, machines=3)
    framed = [member for _, frame in fleet.frames(60) for member in orjson.loads(frame)]
    assert framed == [orjson.loads(value) for _, value in fleet.singles(60)]
    assert len({(member["session"], member["at"]) for member in framed}) == 60


def test_the_documents_get_headline_and_table_in_place_of_the_last_ones(tmp_path: Path) -> None:
    results = Results("a broker", say=lambda _: None)
    for name in RATIOS:
        results.ratio(name, 2.0)
    for name in FIGURES:
        results.figure(name, 3_000.0)
    readme, benchmarks = tmp_path / "README.md", tmp_path / "benchmarks.md"
    for document in (readme, benchmarks):
        document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_documents(readme, benchmarks, results)
    says = headline(dict.fromkeys(FIGURES, 3_000.0))
    assert readme.read_text(encoding="utf-8") == f"before\n{BEGIN}\n{says}\n{END}\nafter\n"
    assert benchmarks.read_text(encoding="utf-8") == f"before\n{BEGIN}\n{says}\n\n{table(results)}\n{END}\nafter\n"
    assert all(f"`{name}`" in table(results) for name in (*RATIOS, *FIGURES))


def test_the_headline_has_the_small_and_the_large_fleet() -> None:
    says = headline({"durable_per_s": 318_361.0, "many_sessions_per_s": 33_966.0})
    assert "**34,000 heartbeats a second** from 100,000 desktops" in says
    assert "**318,000** from 2,000" in says


def test_a_document_without_marks_is_an_error_that_names_it(tmp_path: Path) -> None:
    results = Results("a broker", say=lambda _: None)
    results.figure("durable_per_s", 1.0)
    results.figure("many_sessions_per_s", 1.0)
    document = tmp_path / "README.md"
    document.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match=r"README\.md: the document has no"):
        write_documents(document, document, results)
