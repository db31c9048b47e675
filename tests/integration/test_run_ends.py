"""``seatbeat`` ends quickly and cleanly when it is interrupted, its output is closed, or its broker dies.

Tests wait for moments that are visible from outside: a folder, a child process, a row in the store.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.evidence.small_world import World
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import (
    PROGRAM,
    alive,
    children,
    ended,
    read_line,
    running,
    seatbeat,
    surroundings,
    until,
)

BROKER: Final = "tansu"
ENDS_S_MAX: Final = 30.0
TIMES: Final = 4
"""How often a run gets the same evidence, so that it has seconds to go once the first of it is stored."""
ESTABLISHED: Final = "01"
"""The state of a connection in ``/proc/net/tcp``."""
LEFT_AT_ONCE: Final = """
import asyncio, pathlib, sys, threading
from mode.threads import WorkerThread
from pipeline.embedded.pipeline import EmbeddedPipeline

async def leave() -> None:
    async with EmbeddedPipeline(pathlib.Path(sys.argv[1]), "log"):
        while not any(isinstance(thread, WorkerThread) for thread in threading.enumerate()):
            await asyncio.sleep(0)  # until a client begins to connect, in a thread of its own
        raise ValueError

try:
    asyncio.run(leave())
except ValueError:
    print("left")
"""


@pytest.fixture(autouse=True)
def _reset_sighup() -> Iterator[None]:
    """Reset SIGHUP for child processes, because ``nohup``'s SIG_IGN is inherited."""
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, before)


@contextmanager
def _run(
    world: World, temporary: Path, given: str | Path = "", stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    paths = (given,) if given else (world.folder / "whole.ndjson",) * TIMES
    arguments = ("run", "--contract", world.contract, "--period", "2022Q2", "--input", *paths)
    with running((*PROGRAM, *arguments), temporary=temporary, stdin=stdin) as process:
        yield process


def _scratch(temporary: Path, _: int) -> object:
    return list(temporary.glob("seatbeat-*"))


def _broker(_: Path, process_id: int) -> object:
    return children(process_id, BROKER)


def _store(temporary: Path, _: int) -> object:
    return list(temporary.glob("seatbeat-*/store/metadata"))


def _usage(temporary: Path, _: int) -> object:
    """The first part of the only table that is partitioned by months: usage."""
    return list(temporary.glob("seatbeat-*/store/store/*/*/202204_*"))


@pytest.mark.parametrize(
    ("moment", "sent", "status"),
    [
        (_scratch, signal.SIGINT, 130),
        (_broker, signal.SIGINT, 130),
        (_store, signal.SIGINT, 130),
        (_usage, signal.SIGINT, 130),
        (_broker, signal.SIGTERM, 143),
        (_usage, signal.SIGHUP, 129),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value),
)
@pytest.mark.usefixtures("_embedded_broker")
def test_an_interrupted_run_leaves_nothing_behind(
    moment: Callable[[Path, int], object], sent: signal.Signals, status: int, world: World, tmp_path: Path
) -> None:
    with _run(world, tmp_path) as process:
        until(process, lambda: moment(tmp_path, process.pid))
        brokers = children(process.pid, BROKER)
        process.send_signal(sent)
        end = ended(process, ENDS_S_MAX)
    assert (end.status, end.out) == (status, b"")
    assert end.err == "seatbeat: interrupted; nothing is left running, and what was stored stays as it is\n"
    assert not any(map(alive, brokers))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_embedded_broker")
def test_a_run_under_nohup_survives_a_hang_up(world: World, tmp_path: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as ``nohup`` does
    path = world.folder / "few.ndjson"
    path.write_bytes(b"\n".join(world.heartbeats[:50]))
    with _run(world, tmp_path, given=path) as process:
        until(process, lambda: _broker(tmp_path, process.pid))
        process.send_signal(signal.SIGHUP)
        end = ended(process, ENDS_S_MAX)
    assert (end.status, end.err) == (0, "")
    assert b"studio" in end.out


def test_a_run_that_waits_for_standard_input_can_be_interrupted(world: World, tmp_path: Path) -> None:
    with _run(world, tmp_path, given="-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(world.heartbeats[0] + b"\n")
        until(process, lambda: list(tmp_path.glob("seatbeat-*/standard-input")))
        process.send_signal(signal.SIGINT)
        process.wait(ENDS_S_MAX)  # its standard input stays open
        end = ended(process)
    assert (end.status, end.out) == (130, b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", [_broker, _usage])
@pytest.mark.usefixtures("_embedded_broker")
def test_a_run_fails_soon_with_a_reason_when_its_broker_dies(
    moment: Callable[[Path, int], object], world: World, tmp_path: Path
) -> None:
    with _run(world, tmp_path) as process:
        until(process, lambda: moment(tmp_path, process.pid))
        (broker,) = children(process.pid, BROKER)
        until(process, lambda: _serves(broker))
        os.kill(broker, signal.SIGKILL)
        end = ended(process, ENDS_S_MAX)
    assert (end.status, end.out) == (1, b"")
    assert "seatbeat: the pipeline failed: the embedded broker ended by itself (exit status -9)" in end.err
    assert "Traceback" not in end.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_embedded_broker")
def test_a_demo_that_is_interrupted_removes_its_temporary_store(tmp_path: Path) -> None:
    with running((*PROGRAM, "demo"), temporary=tmp_path) as process:
        until(process, lambda: children(process.pid, BROKER))
        process.send_signal(signal.SIGINT)
        end = ended(process, ENDS_S_MAX)
    assert end.status == 130
    assert "Traceback" not in end.err
    assert list(tmp_path.iterdir()) == []


def test_a_closed_pipe_is_not_an_error(world: World, tmp_path: Path) -> None:
    for command in (
        ("run", "--contract", world.contract, "--input", world.folder / "plain.ndjson", "--period", "2022Q2"),
        ("simulate", "--machines", "200"),
        ("settings",),
    ):
        with running((*PROGRAM, *command), temporary=tmp_path) as process:
            assert process.stdout is not None
            if command[0] != "run":
                assert read_line(process)
            process.stdout.close()
            process.stdout = None
            end = ended(process, ENDS_S_MAX)
        assert end.status == 0, end.err
        assert "Traceback" not in end.err
        assert "BrokenPipe" not in end.err


def test_a_run_leaves_nothing_in_its_working_folder(world: World, tmp_path: Path) -> None:
    path = world.folder / "few.ndjson"
    path.write_bytes(b"\n".join(world.heartbeats[:50]))
    here = tmp_path / "here"
    here.mkdir()
    arguments = ("run", "--contract", world.contract, "--input", path, "--period", "2022Q2", "--output", "csv")
    done = seatbeat(*arguments, temporary=tmp_path / "temporary", folder=here)
    assert (done.status, done.err) == (0, "")
    assert list(here.iterdir()) == []


def _serves(broker: int) -> bool:
    """Whether a broker has a client."""
    port = re.findall(r"--listener-url=tcp://127\.0\.0\.1:(\d+)", Path(f"/proc/{broker}/cmdline").read_text())[0]
    rows = (row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[1] == f"0100007F:{int(port):04X}" and row[3] == ESTABLISHED for row in rows)


def test_a_pipeline_that_is_left_while_its_agents_start_prints_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEFT_AT_ONCE, str(tmp_path / "store")],
        capture_output=True, cwd=ROOT, env=surroundings(tmp_path), check=True, timeout=ENDS_S_MAX,
    )  # fmt: skip
    assert (done.stdout, done.stderr.decode()) == (b"left\n", "")
