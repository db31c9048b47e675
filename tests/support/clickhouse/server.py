"""A store for tests on the production path: ClickHouse's HTTP interface as a process, with injected faults."""

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

from tests.support.clickhouse.faults import Fault, Kind, Target
from tests.support.clickhouse.http_interface import CONTROL
from tests.support.process.processes import ROOT, end, free_port, spawn

START_S_MAX: Final = 30.0
STOP_S_MAX: Final = 10.0
_CONTROL_S_MAX: Final = 30.0


class SeamDidNotStart(Exception):
    """The store's process did not listen in time, or refused a control request."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Counts since the store's start: faults by kind, executed inserts by table, executed queries."""

    injected: Mapping[str, int]
    inserts: Mapping[str, int]
    queries: int


class ClickhouseSeam:
    """A store on a data directory and a port, both kept over ``kill`` and ``start``. ``with`` starts and ends it.

    ``dsn`` is for ``pipeline.store.client.connect``, in any number of processes. Faults and counts are lost when the
    process ends.
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
                sys.executable, "-m", "tests.support.clickhouse.http_interface", "--data-dir", self._data_dir,
                "--port", str(self.port), "--control-port", str(self._control_port),
            ],
            log=subprocess.PIPE,
        )  # fmt: skip
        if self._first_line(self._process) != f"{self.port} {self._control_port}":
            end(self._process)
            raise SeamDidNotStart(f"no store listens on 127.0.0.1:{self.port}; run it by hand from {ROOT.name}")

    def stop(self) -> None:
        """End the process with SIGTERM."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S_MAX)
            end(self._process)

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        if self._process is not None:
            end(self._process)

    def pause(self) -> None:
        """Suspend the process (SIGSTOP): the system accepts connections, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue a suspended process (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def fault(
        self, kind: Kind, *, on: Target = "insert", table: str = "", times: int = 1, after: int = 0, delay_ms: int = 0
    ) -> None:
        """Inject a fault into the next matching statements (see ``Fault``)."""
        self._control("POST", json.dumps(Fault(kind, on, table, times, after, delay_ms).as_json()))

    def down(self, for_ms: int = 0) -> None:
        """Refuse connections for ``for_ms``, for 0 until ``clear``; the data stays."""
        self._control("POST", json.dumps({"kind": "down", "delay_ms": for_ms}))

    def clear(self) -> None:
        """Remove pending faults, and accept connections again."""
        self._control("DELETE")

    def counters(self) -> Counters:
        """Counts since the start."""
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
