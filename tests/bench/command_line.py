"""The commands as people start them: ``seatbeat run`` over a file against ClickHouse's SQL over the same, and start-up.

Each is measured from the start of its process to its end. Memory is resident memory, sampled; that of all processes
together counts pages that they share more than once.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from tests.bench.bench import Bench
from tests.bench.jobs import JobFailed, ours
from tests.support.process.processes import ROOT, end, spawn
from tests.support.process.seatbeat_process import children

PROGRAM: Final = ROOT / ".venv" / "bin" / "seatbeat"
CONTRACT: Final = ROOT / "schemas" / "contracts" / "studio.yaml"
PERIOD: Final = "2022Q2"
ENDS_S_MAX: Final = 600.0
_TURN_S: Final = 0.05
_PAGE: Final = 4096


@dataclass(frozen=True, slots=True)
class Ran:
    """How long a command took, and the peak of the resident memory of its process, and of it with its children."""

    seconds: float
    rss_mib: float
    all_rss_mib: float
    out: bytes


def run(bench: Bench) -> None:
    sizes, results = bench.sizes, bench.results
    file, folder = bench.folder / "simulated.ndjson", bench.folder / "store"
    _timed(bench, "simulate", "--machines", sizes.run_machines, "--beat", "2m", "--output", file)
    sql = ours("sql", bench.folder, file=file, store=f"chdb://{bench.folder / 'sql'}").answer()
    ran = _timed(bench, "run", "--contract", CONTRACT, "--period", PERIOD, "--output", "json", "--input", file)
    assert orjson.loads(ran.out)["basis"]["heartbeats"] == sql["heartbeats"], "every heartbeat is metered"
    results.figure("run_s", ran.seconds)
    results.figure("run_per_s", sql["heartbeats"] / ran.seconds)
    results.figure("run_mib", ran.rss_mib)
    results.figure("run_all_mib", ran.all_rss_mib)
    results.ratio("run_over_clickhouse_sql", sql["seconds"] / ran.seconds)
    few = bench.folder / "few.ndjson"
    with file.open("rb") as lines:
        few.write_bytes(b"".join(lines.readline() for _ in range(1_000)))
    file.unlink()
    _timed(bench, "run", "--contract", CONTRACT, "--period", PERIOD, "--input", few, "--data-dir", folder)
    for _ in range(sizes.repetitions):
        results.figure("version_s", _timed(bench, "--version").seconds)
        small = _timed(bench, "statement", "--data-dir", folder, "--period", PERIOD)
        results.figure("small_statement_s", small.seconds)


def _timed(bench: Bench, *words: object) -> Ran:
    log = bench.folder / f"{words[0]}-{time.monotonic_ns()}.log"
    started_s = time.perf_counter()
    process = spawn([PROGRAM, *map(str, words)], log=log)
    rss = all_rss = 0
    try:
        while process.poll() is None:
            of_each = [_resident_bytes(each) for each in (process.pid, *children(process.pid))]
            rss, all_rss = max(rss, of_each[0]), max(all_rss, sum(of_each))
            _wait(process, started_s)
    finally:
        end(process)
    took_s = time.perf_counter() - started_s
    out = log.read_bytes()
    if process.returncode:
        raise JobFailed(f"seatbeat {words[0]} ended with status {process.returncode}:\n{out[-3_000:]!r}")
    return Ran(took_s, rss / 2**20, all_rss / 2**20, out)


def _wait(process: subprocess.Popen[bytes], started_s: float) -> None:
    """Until the process ends, or the next sample is due."""
    try:
        process.wait(_TURN_S)
    except subprocess.TimeoutExpired:
        if time.perf_counter() - started_s > ENDS_S_MAX:
            raise


def _resident_bytes(process_id: int) -> int:
    try:
        return int(Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
