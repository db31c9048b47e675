"""Starts processes that end with the test run, however it ends, and picks ports that no client can occupy."""

from __future__ import annotations

import atexit
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).resolve().parents[3]
_PR_SET_PDEATHSIG: Final = 1
_CODE: Final = (
    f"import ctypes, os, sys; ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, {signal.SIGKILL:d}); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
_ENDING_WITH_ITS_PARENT: Final = (sys.executable, "-I", "-S", "-c", _CODE) if sys.platform == "linux" else ()
"""Runs before the command, because a process with threads must not run Python code in a forked child."""

_PORT_MIN: Final = 15_000
_PORT_TRIES: Final = 200
_ports = random.Random(os.urandom(8))  # noqa: S311 -- spreads ports over parallel runs
_given: set[int] = set()
_started: list[subprocess.Popen[bytes]] = []

_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
"""PR_SET_PDEATHSIG fires when the *thread* that started the child ends, so a single lasting thread starts them all."""


def spawn(
    command: Sequence[str | Path], *, log: Path | int, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that ends with this process, even if that is killed. ``log`` receives its output."""
    return _spawner.submit(_spawn, command, log, environment).result()


def _spawn(
    command: Sequence[str | Path], log: Path | int, environment: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    if isinstance(log, int):
        return _popen(command, log, subprocess.DEVNULL, environment)
    with log.open("ab") as file:
        return _popen(command, file, subprocess.STDOUT, environment)


def _popen(
    command: Sequence[str | Path], out: IO[bytes] | int, err: int, environment: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [*_ENDING_WITH_ITS_PARENT, *(str(word) for word in command)],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        cwd=ROOT,
        env=dict(environment) if environment is not None else None,
        start_new_session=True,
    )
    _started.append(process)
    return process


@atexit.register
def _end_all() -> None:
    for process in _started:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process if it still runs, and wait for its end."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def free_port() -> int:
    """A free loopback port below the range of ephemeral ports.

    A server can stop and return to it, and clients are refused meanwhile: on an ephemeral port a client could be
    given that same port as its own and connect to itself.
    """
    for _ in range(_PORT_TRIES):
        port = _ports.randrange(_PORT_MIN, _clients_from())
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                _given.add(port)
                return port
    raise OSError("no free port on 127.0.0.1")


def _clients_from() -> int:
    try:
        return max(int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]), _PORT_MIN + 1_000)
    except (OSError, ValueError):
        return 32_768
