"""The socket half of ClickHouse's HTTP interface: chunked bodies, answers, and connections that are cut."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.clickhouse.faults import Fault


class Server(ThreadingHTTPServer):
    """Serves each request in a thread of its own; open connections can be dropped."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """Shut down every open connection."""
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; other errors are printed as usual."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Reads requests and writes answers as ClickHouse does, or cuts the connection for a fault."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name in the base class
        """No request log: tests read the counts."""

    def body(self, part: float = 1.0) -> bytes:
        """The request's body, or the first ``part`` of it, still encoded."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(int(self.headers.get("Content-Length") or 0) * part))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(int(size * part)))
            if part < 1:
                return b"".join(chunks)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def answer(self, status: int, headers: Mapping[str, str], body: bytes, fault: Fault | None = None) -> None:
        """Send an answer, for the faults ``head-cut`` and ``answer-cut`` only its first half."""
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Connection: Keep-Alive", "Keep-Alive: timeout=10"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        head_bytes = ("\r\n".join([*head, "Transfer-Encoding: chunked"]) + "\r\n\r\n").encode("latin-1")
        chunked = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        if fault is not None and fault.kind == "head-cut":
            self.cut(head_bytes[: len(head_bytes) // 2])
        elif fault is not None and fault.kind == "answer-cut":
            self.cut(head_bytes + chunked[: len(chunked) // 2])
        else:
            self.wfile.write(head_bytes + chunked + b"0\r\n\r\n")

    def cut(self, written: bytes = b"") -> None:
        """Send only ``written`` and close the connection."""
        self.wfile.write(written)
        self.wfile.flush()
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
