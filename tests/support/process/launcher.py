"""Runs ``seatbeat`` commands without the cost of imports: a process that has loaded the command line forks each.

The imports of a command take more than a second, and a test runs dozens of commands. Each command is a process of its
own, with its own arguments, environment, folder and standard streams. ``python -m tests.support.process.launcher NAME``
serves on a socket of that name (Linux) until its standard input ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final

from pipeline.cli.main import main as run_command

AVAILABLE: Final = sys.platform == "linux"
ROOT: Final = Path(__file__).resolve().parents[3]
_PR_SET_PDEATHSIG: Final = 1
_LOADED: Final = (
    "cli.command_registry", "cli.commands.statement", "cli.order_options", "embedded.file_run",
    "embedded.folder_posting",
)  # fmt: skip
_REQUEST_BYTES_MAX: Final = 1024 * 1024


class Launcher:
    """Runs commands by a launcher process, which is started at the first command and ends with this process."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._address = f"\0seatbeat-tests-{secrets.token_hex(8)}"

    def run(
        self, arguments: Sequence[str], stdin: bytes, environment: Mapping[str, str], folder: Path, within_s: float
    ) -> tuple[int, bytes, bytes]:
        """Run a command to its end: its status, stdout and stderr. Raises ``subprocess.TimeoutExpired``."""
        self._start()
        asked = {"arguments": list(arguments), "environment": dict(environment), "folder": str(folder)}
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection,
        ):
            given.write(stdin)
            given.seek(0)
            connection.settimeout(within_s)
            connection.connect(self._address)
            socket.send_fds(connection, [json.dumps(asked).encode()], [stream.fileno() for stream in (given, out, err)])
            try:
                status = connection.recv(16)
            except TimeoutError as error:
                raise subprocess.TimeoutExpired(list(arguments), within_s) from error
            return int(status), _content(out), _content(err)

    def _start(self) -> None:
        with self._starting:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.support.process.launcher", self._address[1:]],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=ROOT,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                    start_new_session=True,
                )
                assert self._process.stdout is not None
                assert self._process.stdout.readline(), "the launcher did not start"


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def main(name: str) -> int:
    """Serve until stdin ends; in a forked command's process, return the command's exit status."""
    for module in _LOADED:
        import_module(f"pipeline.{module}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    serving = os.getpid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(f"\0{name}")
        listening.listen()
        sys.stdout.write("ready\n")
        while True:
            ready, _, _ = select.select([listening.fileno(), 0], [], [])
            if 0 in ready:
                return 0
            connection, _ = listening.accept()
            with connection:
                if not os.fork():
                    listening.close()
                    return _watch(connection, serving)


def _watch(connection: socket.socket, serving: int) -> int:
    """Fork the command and send its status; the command is killed if the connection ends first."""
    _end_with(serving)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, streams, _, _ = socket.recv_fds(connection, _REQUEST_BYTES_MAX, 3)
    watching = os.getpid()
    process_id = os.fork()
    if not process_id:
        connection.close()
        return _become(json.loads(request), streams, watching)
    ended = os.pidfd_open(process_id)
    ready, _, _ = select.select([ended, connection.fileno()], [], [])
    if ended not in ready:
        os.kill(process_id, signal.SIGKILL)
    _, status = os.waitpid(process_id, 0)
    if ended in ready:
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(asked: dict[str, Any], streams: Sequence[int], parent: int) -> int:
    """Replace the launcher's streams, environment and folder, and run the command in this process."""
    _end_with(parent)
    os.setsid()
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
    os.closerange(3, 256)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    tempfile.tempdir = None
    sys.argv = ["seatbeat", *asked["arguments"]]
    return run_command()


def _end_with(parent: int) -> None:
    """Make the kernel kill this process when its parent ends (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
