"""A licence server's log: read alone, against one expression a line; its memory; and a run against its heartbeats.

Lines are counted by CPU second, because reading takes one core and the others are busy with something else.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import orjson

from pipeline.codec.flexnet import FlexnetReader, LoggedHeartbeat
from pipeline.embedded.inputs import Contents
from tests.bench.bench import Bench
from tests.bench.jobs import Answer, ours
from tests.bench.license_server import LicenseServer
from tests.support.process.seatbeat_process import seatbeat

CONTRACT: Final = """\
account: acme
country: CZ
currency: EUR
products:
  64000PROD_F: {replaces: [87000PROD_2020_0F], term_license_price: "620.00"}
entitlements:
  - {model: pooled, product: 64000PROD_F, policy: bentley-select, quantity: 10, from: 2020-01-01}
"""


def run(bench: Bench) -> None:
    sizes, results = bench.sizes, bench.results
    small, large = (write_log(bench.folder, events) for events in sizes.log_events)
    for _ in range(sizes.repetitions):
        plain, read = (reading(bench, small, way) for way in ("expression", "ours"))
        per_s = read["lines"] / read["cpu_seconds"]
        results.figure("log_lines_per_cpu_s", per_s)
        results.ratio("log_reading_over_expression", per_s / (plain["lines"] / plain["cpu_seconds"]))
    after_large = reading(bench, large, "ours")["rss_mib"]
    results.figure("log_rss_mib", after_large)
    results.ratio("log_memory_of_tenfold", after_large / read["rss_mib"])
    beats = write_heartbeats(small)
    for _ in range(min(sizes.repetitions, 3)):
        of_beats, of_log = (run_s(bench.folder, file) for file in (beats, small))
        results.figure("log_run_s", of_log)
        results.ratio("log_run_over_heartbeats", of_log / of_beats)


def reading(bench: Bench, log: Path, way: str) -> Answer:
    return ours("log_reading", bench.folder, log=log, way=way).answer()


def write_log(folder: Path, events: int) -> Path:
    file = folder / f"lmgrd-{events}.log"
    with file.open("wb") as lines:
        lines.writelines(LicenseServer().log(events))
    return file


def write_heartbeats(log: Path) -> Path:
    """The sessions of a log as heartbeats, one on a line."""
    file = log.with_suffix(".ndjson")
    with file.open("wb") as lines:
        for item in FlexnetReader("acme").items([(log.name, Contents(str(log)))]):
            if isinstance(item, LoggedHeartbeat):
                lines.write(orjson.dumps(item.heartbeat) + b"\n")
    return file


def run_s(folder: Path, file: Path) -> float:
    """How long ``seatbeat run`` takes, from its start to its statement."""
    contract = folder / "contract.yaml"
    contract.write_text(CONTRACT, encoding="utf-8")
    form = "heartbeats" if file.suffix == ".ndjson" else "flexnet"
    started_s = time.perf_counter()
    done = seatbeat(
        "run", "--contract", contract, "--input", file, "--format", form, "--period", "2020Q1", "--output", "json",
        temporary=folder / "temporary",
    )  # fmt: skip
    took_s = time.perf_counter() - started_s
    assert done.status == 0, done.err
    return took_s
