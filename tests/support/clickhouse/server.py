"""A store for tests that runs the production path: ClickHouse's HTTP interface as a process, with faults on order."""

from __future__ import annotations

import http.client
import json
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from tests.support.clickhouse.clickhouse_faults import Fault, Kind, Target
from tests.support.clickhouse.clickhouse_http import CONTROL
from tests.support.process.processes import ROOT, end, free_port, spawn

START_S_MAX: Final = 30.0
STOP_S_MAX: Final = 10.0
_CONTROL_S_MAX: Final = 30.0


class SeamDidNotStart(Exception):
    """The store's process did not say in time that it listens, or refused what it was told."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What happened since the store was started: faults by kind, inserts carried out by table, queries carried out."""

    injected: Mapping[str, int]
    inserts: Mapping[str, int]
    queries: int


class ClickhouseSeam:
    """A store on one data directory and one port, kept over ``kill`` and ``start``. ``with`` starts and ends it.

    ``dsn`` is what ``pipeline.store.client.connect`` takes, in as many processes as wished. Faults and counts are the
    process's and begin anew with it.
    """

    def __init__(self, data_dir: Path) -> None:
        self.port = free_port()
        self._data_dir, self._control_port = data_dir, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ClickhouseSeam:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        return f"clickhouse://127.0.0.1:{self.port}/default"

    def start(self) -> None:
        """Start the process and wait until it listens. Raises ``SeamDidNotStart``."""
        self._process = spawn(
            [
                sys.executable, "-m", "tests.support.clickhouse.clickhouse_http", "--data-dir", self._data_dir,
                "--port", str(self.port), "--control-port", str(self._control_port),
            ],
            log=subprocess.PIPE,
        )  # fmt: skip
        if self._first_line(self._process) != f"{self.port} {self._control_port}":
            end(self._process)
            raise SeamDidNotStart(f"no store listens on 127.0.0.1:{self.port}; run it by hand from {ROOT.name}")

    def stop(self) -> None:
        """End it as a server ends that is told to."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S_MAX)
            end(self._process)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            end(self._process)

    def pause(self) -> None:
        """Let it stand still (SIGSTOP): connections are taken by the system, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def fault(
        self, kind: Kind, *, on: Target = "insert", table: str = "", times: int = 1, after: int = 0, delay_ms: int = 0
    ) -> None:
        """Have a fault happen to the next statements that match (``Fault``)."""
        self._control("POST", json.dumps(Fault(kind, on, table, times, after, delay_ms).as_json()))

    def down(self, for_ms: int = 0) -> None:
        """Let it refuse connections for so long, for 0 until ``clear``; what it holds stays."""
        self._control("POST", json.dumps({"kind": "down", "delay_ms": for_ms}))

    def clear(self) -> None:
        """Forget faults that are still to come, and be up."""
        self._control("DELETE")

    def counters(self) -> Counters:
        """What has happened so far."""
        counts = json.loads(self._control("GET"))
        return Counters(counts["injected"], counts["inserts"], counts["queries"].get("all", 0))

    def _control(self, method: str, body: str | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._control_port, timeout=_CONTROL_S_MAX)
        try:
            connection.request(method, CONTROL, body)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise SeamDidNotStart(said.decode().strip())
        return said

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(which)

    @staticmethod
    def _first_line(process: subprocess.Popen[bytes]) -> str:
        if process.stdout is None:
            return ""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            return process.stdout.readline().decode().strip() if selector.select(START_S_MAX) else ""
