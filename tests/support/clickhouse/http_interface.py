"""ClickHouse's HTTP interface in front of chDB, on loopback: processes share an engine, and tests inject faults.

``python -m tests.support.clickhouse.http_interface --data-dir D`` prints the ports of the interface and of its control
endpoint. It answers ``clickhouse-connect`` as a server does, except that it ignores ``client_protocol_version``, as
some proxies do. The control endpoint takes ``POST /seatbeat-faults`` with a ``Fault`` or ``{"kind": "down",
"delay_ms": T}`` as JSON, ``DELETE /seatbeat-faults``, and ``GET /seatbeat-faults`` for the counts.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.support.clickhouse.engine import Answer, Engine, EngineError
from tests.support.clickhouse.faults import Fault, Faults, Target
from tests.support.clickhouse.http_wire import Handler, Server
from tests.support.clickhouse.request import (
    NotServed,
    Statement,
    compressed,
    query_parameter,
    read_statement,
    subject,
)
from tests.support.process.processes import free_port

CONTROL: Final = "/seatbeat-faults"
_SAID: Final[Mapping[str, tuple[int, str]]] = {
    "error-before": (241, "Memory limit (total) exceeded: would use 3.61 GiB. (MEMORY_LIMIT_EXCEEDED)"),
    "disk-full": (243, "Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)"),
    "error-after": (319, "Unknown status, client must retry. (UNKNOWN_STATUS_OF_INSERT)"),
}


class Seam:
    """The interface on its port; the port is closed while the interface is down."""

    def __init__(self, engine: Engine, port: int) -> None:
        self.engine, self.faults, self.port = engine, Faults(), port
        self._server: _SeamServer | None = None
        self._lock = threading.Lock()

    def up(self) -> None:
        """Listen."""
        with self._lock:
            if self._server is None:
                self._server = _SeamServer(("127.0.0.1", self.port), _Interface, self)
                threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def down(self, for_ms: int) -> None:
        """Refuse new connections and drop open connections; up again after ``for_ms``, for 0 only by ``up``."""
        with self._lock:
            if self._server is not None:
                self._server.shutdown()
                self._server.server_close()
                self._server.drop_connections()
                self._server = None
        self.faults.count("injected", "down")
        if for_ms:
            timer = threading.Timer(for_ms / 1_000, self.up)
            timer.daemon = True
            timer.start()


class _SeamServer(Server):
    def __init__(self, address: tuple[str, int], handler: type[Handler], seam: Seam) -> None:
        self.seam = seam
        super().__init__(address, handler)


class _Interface(Handler):
    server: _SeamServer

    def do_GET(self) -> None:  # noqa: N802 -- the name that http.server calls
        self._serve(read_only=True)

    def do_POST(self) -> None:  # noqa: N802 -- the name that http.server calls
        self._serve(read_only=False)

    def _serve(self, *, read_only: bool) -> None:
        split = urlsplit(self.path)
        if split.path == "/ping" or (read_only and not split.query):
            self.answer(200, {"Content-Type": "text/html; charset=UTF-8"}, b"Ok.\n")
            return
        faults = self.server.seam.faults
        target, tables = subject(query_parameter(split.query))
        fault = faults.take(target, tables) if target == "insert" else None
        if fault is not None and fault.kind in {"refused", "request-cut"}:
            self.body(part=0.5 if fault.kind == "request-cut" else 0)
            self.cut()
            return
        try:
            statement = read_statement(split.query, dict(self.headers), self.body(), read_only=read_only)
        except NotServed as error:
            self._tell(EngineError(48, f"Code: 48. DB::Exception: {error} is not served. (NOT_IMPLEMENTED)\n"), "")
            return
        if target != "insert":
            target, tables = subject(statement.sql)
            fault = faults.take(target, tables)
        self._carry_out(statement, target, tables, fault)

    def _carry_out(self, statement: Statement, target: Target, tables: str, fault: Fault | None) -> None:
        kind = fault.kind if fault is not None else ""
        if fault is not None and kind == "slow":
            time.sleep(fault.delay_ms / 1_000)
        if kind in {"refused", "request-cut"}:
            self.cut()
            return
        if kind in {"error-before", "disk-full"}:
            self._tell(self._said(kind), statement.query_id)
            return
        try:
            answer = self.server.seam.engine.run(statement)
        except EngineError as error:
            self._tell(error, statement.query_id)
            return
        self.server.seam.faults.count(*(("inserts", tables) if target == "insert" else ("queries", "all")))
        if kind == "error-after":
            self._tell(self._said(kind), statement.query_id)
        elif kind == "answer-lost":
            self.cut()
        else:
            self._rows(statement, answer, fault)

    def _rows(self, statement: Statement, answer: Answer, fault: Fault | None) -> None:
        headers = self._headers(statement.query_id) | {"X-ClickHouse-Summary": json.dumps(answer.summary)}
        if answer.format:
            headers |= {"X-ClickHouse-Format": answer.format, "Content-Type": "application/octet-stream"}
        encoding = statement.encoding if answer.body else ""
        if encoding:
            headers["Content-Encoding"] = encoding
        self.answer(200, headers, compressed(answer.body, encoding), fault)

    def _tell(self, error: EngineError, query_id: str) -> None:
        headers = self._headers(query_id) | {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Exception-Code": str(error.code),
        }
        self.answer(error.status, headers, error.text.encode())

    def _said(self, kind: str) -> EngineError:
        code, text = _SAID[kind]
        return EngineError(code, f"Code: {code}. DB::Exception: {text} (version {self.server.seam.engine.version})\n")

    def _headers(self, query_id: str) -> dict[str, str]:
        return {
            "Date": self.date_time_string(),
            "X-ClickHouse-Server-Display-Name": "seatbeat-seam",
            "X-ClickHouse-Query-Id": query_id or str(uuid.uuid4()),
            "X-ClickHouse-Timezone": self.server.seam.engine.timezone,
        }


class _Control(Handler):
    server: _SeamServer

    def do_POST(self) -> None:  # noqa: N802 -- the name that http.server calls
        try:
            asked = json.loads(self.body())
            if asked["kind"] == "down":
                self.server.seam.down(asked["delay_ms"])
            else:
                self.server.seam.faults.arm(Fault(**asked))
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {}, f"{error}\n".encode())
        else:
            self.answer(200, {}, b"")

    def do_DELETE(self) -> None:  # noqa: N802 -- the name that http.server calls
        self.server.seam.faults.disarm()
        self.server.seam.up()
        self.answer(200, {}, b"")

    def do_GET(self) -> None:  # noqa: N802 -- the name that http.server calls
        counts = json.dumps(self.server.seam.faults.counts())
        self.answer(200, {"Content-Type": "application/json"}, counts.encode())


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then close the data directory."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.clickhouse.http_interface", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--control-port", type=int, default=0, help="0: a free one")
    args = parser.parse_args(arguments)
    asked_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_end.set())
    engine = Engine(args.data_dir)
    seam = Seam(engine, args.port or free_port())
    control = _SeamServer(("127.0.0.1", args.control_port or free_port()), _Control, seam)
    threading.Thread(target=control.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    seam.up()
    sys.stdout.write(f"{seam.port} {control.server_address[1]}\n")
    sys.stdout.flush()
    asked_to_end.wait()
    engine.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
