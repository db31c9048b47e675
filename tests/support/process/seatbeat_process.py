"""``seatbeat`` as a process of its own: started, watched from outside, and ended."""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from pipeline.embedded.broker import PROGRAM_VARIABLE
from tests.support.process.launcher import AVAILABLE, Launcher
from tests.support.process.processes import ROOT, end

PROGRAM: Final = (sys.executable, "-m", "pipeline.cli.main")
ENDS_S_MAX: Final = 120.0
_TURN_S: Final = 0.02
_launcher: Final = Launcher()
_ASKED_AGAIN: Final = re.compile(
    r"^Group Coordinator Request failed: .*GroupCoordinatorNotAvailableError$"
    r"|^Marking the coordinator dead \(node \d+\)for group "
    r"|^Got error produce response .*, retrying\. .*NotLeaderForPartitionError"
    r"|^Failed fetch offsets from \d+: .*NotLeaderForPartitionError"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """The exit status and the output of a command."""

    status: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)

    @property
    def words(self) -> str:
        """stderr ``without_retries``."""
        return without_retries(self.err)


def without_retries(err: str) -> str:
    """What was said on stderr, but for aiokafka's notes about retries on a broker that has just started."""
    return "".join(line for line in err.splitlines(keepends=True) if not _ASKED_AGAIN.search(line))


def seatbeat(
    *arguments: str | Path,
    temporary: Path,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    file_bytes_max: int | None = None,
    folder: Path = ROOT,
) -> Ended:
    """Run a command in a folder to its end. ``temporary`` holds its temporary folders.

    With ``file_bytes_max`` no file that it writes can grow beyond that, so its coverage is not measured: the file
    of coverage would not find room either, and complain on stderr.
    """
    words, variables = [str(argument) for argument in arguments], surroundings(temporary, environment)
    if AVAILABLE and file_bytes_max is None:
        status, out, err = _launcher.run(words, stdin, variables, folder, ENDS_S_MAX)
        return Ended(status, out, err.decode())
    command = [*PROGRAM, *words]
    if file_bytes_max is not None:
        command = ["sh", "-c", f'ulimit -f {file_bytes_max // 512}; exec "$@"', "sh", *command]
        variables.pop("COVERAGE_PROCESS_CONFIG", None)
    done = subprocess.run(
        command, input=stdin, capture_output=True, cwd=folder, env=variables, timeout=ENDS_S_MAX, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr.decode())


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    temporary: Path,
    stdin: int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A running process, killed at the end of the ``with``."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=surroundings(temporary, environment),
        start_new_session=True,
        bufsize=0,
    )
    try:
        yield process
    finally:
        end(process)
        for stream in (process.stdin, process.stderr):
            if stream is not None:
                stream.close()


def surroundings(temporary: Path, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: this process's without Seatbeat's settings, with its own temporary folder."""
    temporary.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == PROGRAM_VARIABLE or not name.startswith(("SEATBEAT_", "COLUMNS"))
    }
    return {**kept, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)} | dict(
        environment or {}
    )


def ended(process: subprocess.Popen[bytes], within_s: float = ENDS_S_MAX) -> Ended:
    """Wait for a process to end by itself. Raises ``subprocess.TimeoutExpired``."""
    out, err = process.communicate(timeout=within_s)
    return Ended(process.returncode, out, err.decode())


def until(process: subprocess.Popen[bytes], holds: Callable[[], object], within_s: float = 60.0) -> None:
    """Wait for a condition while a process runs. Raises ``AssertionError`` if it ends or time runs out."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "the condition did not hold in time"
        try:
            process.wait(_TURN_S)
        except subprocess.TimeoutExpired:
            continue
        assert process.stderr is not None
        raise AssertionError(f"ended early with {process.returncode}: {process.stderr.read().decode()}")


def read_line(process: subprocess.Popen[bytes], within_s: float = 60.0) -> bytes:
    """The next line of stdout, empty at its end. Raises ``AssertionError`` after ``within_s``."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        assert selector.select(within_s), "the process printed nothing"
    return process.stdout.readline()


def children(process_id: int, named: str = "") -> list[int]:
    """The running children of a process, only those of program ``named`` if it is not empty (Linux)."""
    process_ids = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent = rest.split()[:2]
        if int(parent) == process_id and state != "Z" and named in {"", name}:
            process_ids.append(int(folder.name))
    return process_ids


def alive(process_id: int) -> bool:
    """Whether a process runs (Linux)."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
