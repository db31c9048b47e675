"""Results of a run: ratios and figures with every repetition, the machine and the versions."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

import orjson


@dataclass(frozen=True, slots=True)
class Target:
    """``value`` must be reached, at least or at most; ``None`` means that there is no target."""

    means: str
    value: float | None = None
    at_most: bool = False

    def met(self, median: float) -> bool | None:
        if self.value is None:
            return None
        return median <= self.value if self.at_most else median >= self.value

    def __str__(self) -> str:
        return "told only" if self.value is None else f"{'≤' if self.at_most else '≥'} {self.value:g}"


RATIOS: Final[dict[str, Target]] = {
    "durable_over_bare_loop": Target("meter on frames, produced and committed, over a bare loop on single messages", 1),
    "durable_over_quixstreams": Target("the same over Quix Streams' ten-minute windows", 10),
    "durable_over_stock_faust": Target("the same over a stock Faust windowed table", 50),
    "visible_over_clickhouse_sql": Target(
        "heartbeats to rows in the store, over ClickHouse's own SQL from a file", 0.1
    ),
    "single_over_stock_faust_map": Target(
        "single heartbeats, durable, over a stock Faust agent that only decodes", 0.8
    ),
    "two_workers_over_one": Target("two worker processes on this machine's cores over one", 1.5),
    "visible_many_over_clickhouse_sql": Target("the same for 100,000 sessions", 0.1),
    "catch_up_over_live": Target(
        "catching up to visible rows, 100,000 sessions, over the 16,700/s of a million desktops", 4
    ),
    "memory_20m_over_2m": Target("resident memory of the meter after 20 over after 2 million heartbeats", 1.1, True),
    "rows_per_session_day": Target("rows in ClickHouse per session and day after merges", 1.05, True),
    "durable_over_bare_loop_on_frames": Target("as the first, but the bare loop reads the same frames", 0.5),
    "many_sessions_over_bare_loop_on_frames": Target(
        "100,000 sessions: meter on frames, produced and committed, over a bare loop on the same frames", 0.35
    ),
    "a_million_sessions_over_20000": Target("CPU time of a heartbeat: a million sessions over 20,000", 1.5, True),
    "run_over_clickhouse_sql": Target(
        "`seatbeat run` on 5.5 million heartbeats, a line each, its statement included, over ClickHouse's SQL", 0.2
    ),
    "log_reading_over_expression": Target(
        "lines of a licence log read to sessions, over lines matched with one regular expression", 0.1
    ),
    "log_memory_of_tenfold": Target("resident memory after a log of 2 million events over one of 200,000", 1.25, True),
    "log_run_over_heartbeats": Target(
        "time of a run of that log over a run of the same sessions as heartbeats", 1.25, True
    ),
}

FIGURES: Final[dict[str, Target]] = {
    "durable_per_s": Target("heartbeats/s, durable, frames, one process"),
    "durable_per_cpu_s": Target("heartbeats per CPU second, the same"),
    "many_sessions_per_s": Target("heartbeats/s, durable, frames, one process, of 100,000 sessions"),
    "many_sessions_per_cpu_s": Target("heartbeats per CPU second, the same"),
    "durable_single_per_s": Target("heartbeats/s, durable, single messages"),
    "bare_loop_on_large_frames_per_s": Target("heartbeats/s of the bare loop on frames of 100,000 sessions"),
    "visible_per_s": Target("heartbeats/s to visible rows, one process"),
    "visible_many_per_s": Target("the same for 100,000 sessions"),
    "bare_loop_per_s": Target("heartbeats/s of the bare loop on single messages"),
    "bare_loop_on_frames_per_s": Target("heartbeats/s of the bare loop on frames"),
    "quixstreams_per_s": Target("heartbeats/s of Quix Streams"),
    "stock_faust_table_per_s": Target("heartbeats/s of the stock Faust table"),
    "stock_faust_map_per_s": Target("heartbeats/s of the stock Faust map"),
    "clickhouse_sql_per_s": Target("heartbeats/s of ClickHouse's SQL"),
    "two_workers_at_most": Target("the ratio that two workers could reach if these cores were never idle"),
    "restart_s": Target(
        "a worker (meter, sink, seats) restarted amid a million open sessions: all three have done new work after, s",
        5,
        True,
    ),
    "seats_whole_s": Target("the same worker's live counts hold all million open sessions again after, s", 5, True),
    "seats_whole_mib": Target("resident memory of that worker then, MiB", 500, True),
    "visible_p50_ms": Target("sent to visible at half of peak load, p50, ms"),
    "visible_p99_ms": Target("the same, p99, ms: at most 2 flush intervals of 1,000 ms and 200 ms", 2_200, True),
    "visible_max_ms": Target("the same, worst, ms"),
    "kept_up_per_s": Target("the highest load of 100,000 sessions that is kept up with for a minute, heartbeats/s"),
    "half_peak_per_s": Target("the load it was measured at, heartbeats/s"),
    "slow_store_p99_ms": Target("sent to visible at 16,700/s while every insert takes 500 ms longer, p99, ms"),
    "slow_store_max_ms": Target("the same, worst, ms"),
    "backlog_live_p99_ms": Target("sent to visible of live traffic at 16,700/s behind a backlog, p99, ms"),
    "backlog_caught_up_s": Target("until that backlog of 960,000 heartbeats and the live traffic are worked off, s"),
    "kafka_bytes_per_machine_day": Target(
        "bytes on Kafka's disk per machine and working day, heartbeats and usage, at 1,700 heartbeats/s", 25_000, True
    ),
    "kafka_heartbeats_per_machine_day": Target("of these heartbeats, as a gateway would write them (zstd)"),
    "kafka_usage_per_machine_day": Target("of these usage"),
    "kafka_bytes_per_machine_day_at_17000": Target("the same sum at 17,000 heartbeats/s"),
    "kafka_usage_per_machine_day_2_s": Target("bytes of usage at 1,700/s with a checkpoint of 2 s instead of 0.5 s"),
    "kafka_usage_per_machine_day_10_s": Target("with a checkpoint of 10 s"),
    "kafka_usage_per_machine_day_60_s": Target("with a checkpoint of 60 s"),
    "clickhouse_bytes_per_machine_day": Target("bytes on ClickHouse's disk per machine and working day, 2.2 sessions"),
    "clickhouse_bytes_per_session_day": Target("the same per session and day"),
    "kafka_gb_million_machines_year": Target(
        "GB written to Kafka by a million machines in 250 working days, one copy, if nothing were deleted"
    ),
    "kafka_gb_million_machines_retained": Target("of these on disk at once at 40 days' retention (29 working days)"),
    "clickhouse_gb_million_machines_year": Target("GB in ClickHouse of a million machines and 250 working days"),
    "statement_s": Target("a statement of 20 products, 5,000 machines and a quarter, s", 1.8, True),
    "explain_s": Target("one slot of it explained, s", 0.15, True),
    "run_s": Target("the same run, from its start to its statement, s"),
    "run_per_s": Target("heartbeats/s of it"),
    "run_mib": Target("resident memory of its process, MiB", 600, True),
    "run_all_mib": Target("the same of all its processes: with the second meter and the broker, which keeps all, MiB"),
    "version_s": Target("`seatbeat --version`, s", 0.15, True),
    "small_statement_s": Target("`seatbeat statement` of a folder with 1,000 heartbeats, s", 1, True),
    "log_lines_per_cpu_s": Target("lines of a licence log read to sessions per CPU second", 100_000),
    "log_rss_mib": Target("resident memory after a log of 2 million events, MiB"),
    "log_run_s": Target("a run of a log of 200,000 events, from its start to its statement, s"),
    "rss_20m_mib": Target("resident memory of the meter after 20 million heartbeats, MiB"),
}


@dataclass(slots=True)
class Results:
    """Every repetition of every ratio and figure, and notes such as a query's plan. ``say`` is called with each."""

    broker: str
    say: Callable[[str], None] = print
    ratios: dict[str, list[float]] = field(default_factory=dict)
    figures: dict[str, list[float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def ratio(self, name: str, value: float) -> None:
        assert name in RATIOS, name
        self.ratios.setdefault(name, []).append(value)
        self.say(f"{name} {value:.4g}")

    def figure(self, name: str, value: float) -> None:
        assert name in FIGURES, name
        self.figures.setdefault(name, []).append(value)
        self.say(f"{name} {value:,.4g}")

    def note(self, name: str, text: str) -> None:
        self.notes[name] = text

    def as_json(self) -> bytes:
        """``bench/results.json``: medians by name, the machine and the versions."""
        return _json(
            {
                "ratios": _medians(self.ratios),
                "figures": _medians(self.figures),
                "machine": machine() | {"broker": self.broker},
                "versions": versions(),
            }
        )

    def details(self) -> bytes:
        """``bench/details.json``: the spread of each, which targets are missed, and notes such as a query's plan."""
        return _json(
            {
                "spread": {
                    name: {"min": min(values), "max": max(values), "repetitions": len(values)}
                    for name, values in sorted((self.ratios | self.figures).items())
                },
                "missed": missed(self),
                "notes": self.notes,
            }
        )


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def missed(results: Results) -> list[str]:
    """The names of ratios and figures whose median misses its target."""
    medians = _medians(results.ratios) | _medians(results.figures)
    targets = RATIOS | FIGURES
    return [name for name, median in medians.items() if targets[name].met(median) is False]


def machine() -> dict[str, str]:
    """The machine of the run."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":")[1].strip() for line in cpu.splitlines() if line.startswith("model name")), "unknown")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "cores": str(os.cpu_count()), "cpu": model, "system": platform.platform(), "load_at_the_end": f"{load:.1f}",
    }  # fmt: skip


def versions() -> dict[str, str]:
    """Versions of what was measured; those of the references are in tests/bench/references/requirements.lock."""
    ours = ("seatbeat", "faust-streaming", "aiokafka", "orjson", "chdb-core", "clickhouse-connect", "pyarrow")
    pinned = Path(__file__).parent / "references" / "requirements.in"
    references = dict(line.split("==") for line in pinned.read_text(encoding="utf-8").splitlines() if "==" in line)
    return (
        {"python": platform.python_version()}
        | {name: version(name) for name in ours}
        | {f"reference {name}": number for name, number in references.items()}
    )


def _medians(measured: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in sorted(measured.items())}
