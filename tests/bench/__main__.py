"""Run the benchmark: every scenario in turn, then the table, and ``bench/results.json``."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.bench import (
    command_line,
    durable,
    license_logs,
    live,
    memory,
    restart,
    statements,
    storage,
    two_workers,
    visible,
)
from tests.bench.bench import SMOKE, Bench, Sizes
from tests.bench.jobs import REFERENCES_VENV
from tests.bench.report import table, write_documents
from tests.bench.results import Results, missed
from tests.support.broker.apache import available
from tests.support.process.processes import ROOT

SCENARIOS: Final[dict[str, Callable[[Bench], None]]] = {
    "durable": durable.run,
    "visible": visible.run,
    "two-workers": two_workers.run,
    "live": live.run,
    "restart": restart.run,
    "statement": statements.run,
    "storage": storage.run,
    "memory": memory.run,
    "licence-logs": license_logs.run,
    "command-line": command_line.run,
}
ALL_REFERENCES: Final = frozenset({"bare_loop", "quix_window", "faust_table", "faust_map"})


def main(arguments: list[str] | None = None) -> int:
    """The exit status is 0 if every scenario ran, whether or not every target was met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", choices=sorted(SCENARIOS), action="append", help="these scenarios; no file is written"
    )
    parser.add_argument("--repetitions", type=int, default=Sizes().repetitions)
    parser.add_argument("--smoke", action="store_true", help="a few thousand heartbeats: whether it runs")
    parser.add_argument(
        "--write-documents",
        action="store_true",
        help="put the results into docs/benchmarks.md, the headline into README.md",
    )
    args = parser.parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if not (REFERENCES_VENV / "bin" / "python").exists():
        sys.stderr.write("The references are not installed; `make bench` installs them\n")
        return 2
    broker = "Apache Kafka" if available() else "the embedded broker"
    started_s = time.monotonic()
    results = Results(broker, say=lambda result: _tell(f"  {time.monotonic() - started_s:4.0f} s  {result}"))
    sizes = SMOKE if args.smoke else Sizes(repetitions=args.repetitions)
    for name in args.only or SCENARIOS:
        _tell(name)
        folder = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))
        try:
            SCENARIOS[name](Bench(sizes, folder, results, ALL_REFERENCES))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(table(results) + "\n\n")
    sys.stdout.write(f"Missed: {', '.join(missed(results)) or 'none'}. {time.monotonic() - started_s:.0f} s in all.\n")
    if not args.only and not args.smoke:
        (ROOT / "bench").mkdir(exist_ok=True)
        (ROOT / "bench" / "results.json").write_bytes(results.as_json())
        (ROOT / "bench" / "details.json").write_bytes(results.details())
        if args.write_documents:
            write_documents(ROOT / "README.md", ROOT / "docs" / "benchmarks.md", results)
    return 0


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
