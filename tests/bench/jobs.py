"""Measured jobs: each is a process of its own that prints its result as JSON on its last line."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson

from tests.support.process.processes import ROOT, end, spawn

REFERENCES_VENV: Final = ROOT / ".cache" / "bench-venv"
JOB_S_MAX: Final = 240.0
_POLL_S: Final = 0.02
Answer = dict[str, float]


class JobFailed(Exception):
    """A job failed or did not end in time; with the end of its log."""


class Job:
    """A running job. ``folder`` keeps its log."""

    def __init__(self, name: str, folder: Path, python: Path | str, module: str, options: Mapping[str, object]) -> None:
        self.name = name
        self._log = folder / f"{name}-{time.monotonic_ns()}.log"
        words = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        self.process: subprocess.Popen[bytes] = spawn([python, "-m", module, *words], log=self._log)

    def lines(self) -> list[dict[str, float]]:
        """Every complete line of JSON so far."""
        said = self._log.read_bytes()
        return [orjson.loads(line) for line in said[: said.rfind(b"\n") + 1].splitlines() if line.startswith(b"{")]

    def answer(self, wait_s_max: float = JOB_S_MAX) -> Answer:
        """The result, after the end of the job. Raises ``JobFailed``."""
        try:
            code = self.process.wait(wait_s_max)
        except subprocess.TimeoutExpired:
            end(self.process)
            raise JobFailed(f"{self.name} was not done after {wait_s_max:.0f} s:\n{self._tail()}") from None
        lines = self.lines()
        if code or not lines:
            raise JobFailed(f"{self.name} ended with status {code}:\n{self._tail()}")
        return lines[-1]

    def until(self, key: str, wait_s_max: float = JOB_S_MAX) -> Answer:
        """The first line with ``key``. Raises ``JobFailed``."""
        deadline = time.monotonic() + wait_s_max
        while True:
            lines = [line for line in self.lines() if key in line]
            if lines:
                return lines[0]
            if self.process.poll() is not None or time.monotonic() > deadline:
                end(self.process)
                raise JobFailed(f"{self.name} never said {key}:\n{self._tail()}")
            time.sleep(_POLL_S)

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        end(self.process)

    def _tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-3_000:]


def ours(name: str, folder: Path, **options: object) -> Job:
    """Start ``tests.bench.work.NAME`` under this Python."""
    return Job(name, folder, sys.executable, f"tests.bench.work.{name}", options)


def reference(name: str, folder: Path, **options: object) -> Job:
    """Start ``tests.bench.references.NAME`` under the references' own Python."""
    return Job(name, folder, REFERENCES_VENV / "bin" / "python", f"tests.bench.references.{name}", options)
