"""``seatbeat run`` over much input has a second meter, a process of its own: the same results, and no process left."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from pipeline.embedded.file_run import SECOND_METER_BYTES
from tests.support.evidence.small_world import BROKEN, BROKEN_AT, World
from tests.support.process.seatbeat_process import PROGRAM, alive, children, ended, running, until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("_embedded_broker", "_two_cores")]

BROKER: Final = "tansu"
ENDS_S_MAX: Final = 60.0


@pytest.fixture
def _two_cores() -> None:
    if (os.cpu_count() or 1) < 2:
        pytest.skip("a run has a second meter only where there is a second core")


@pytest.fixture(scope="module")
def much(world: World) -> Path:
    """The faulty file with every line made longer by spaces, so that it is enough for two meters."""
    lines = (world.folder / "faults.ndjson").read_bytes().splitlines()
    path = world.folder / "much.ndjson"
    path.write_bytes(b"".join(line + b" " * (SECOND_METER_BYTES // len(lines)) + b"\n" for line in lines))
    return path


@contextmanager
def _run(world: World, temporary: Path, much: Path) -> Iterator[subprocess.Popen[bytes]]:
    arguments = ("run", "--contract", world.contract, "--period", "2022Q2", "--output", "json", "--input", much)
    with running((*PROGRAM, *arguments), temporary=temporary) as process:
        yield process


def _second_meter(process: subprocess.Popen[bytes]) -> int:
    """The process, once it is there."""
    brokers: list[int] = []

    def both() -> bool:
        brokers[:] = children(process.pid, BROKER)
        return bool(brokers) and len(children(process.pid)) > len(brokers)

    until(process, both)
    (meter,) = set(children(process.pid)) - set(brokers)
    return meter


def test_two_meters_make_the_same_statement_and_dead_letters(world: World, much: Path, tmp_path: Path) -> None:
    with _run(world, tmp_path, much) as process:
        meter = _second_meter(process)
        end = ended(process)
    assert end.status == 0, end.err
    assert end.json["lines"] == world.expected()
    assert end.json["basis"]["heartbeats"] == 2 * len(world.heartbeats)
    remarks = end.words.splitlines()
    assert [line.split(": ")[1:3] for line in remarks[:-1]] == [
        [f"{much}:{place + 1}", code] for place, code in zip(BROKEN_AT, BROKEN.values(), strict=True)
    ]
    assert remarks[-1].startswith(f"seatbeat: {len(BROKEN)} could not be used")
    assert not alive(meter)


def test_a_run_whose_second_meter_is_killed_fails_with_a_reason(world: World, much: Path, tmp_path: Path) -> None:
    with _run(world, tmp_path, much) as process:
        os.kill(_second_meter(process), signal.SIGKILL)
        end = ended(process, ENDS_S_MAX)
    assert (end.status, end.out) == (1, b"")
    assert "the pipeline failed: the second meter ended by itself (exit status -9)" in end.err
    assert "Traceback" not in end.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_run_that_is_ended_takes_its_second_meter_with_it(
    sent: signal.Signals, status: int, world: World, much: Path, tmp_path: Path
) -> None:
    with _run(world, tmp_path, much) as process:
        meter = _second_meter(process)
        process.send_signal(sent)
        process.wait(ENDS_S_MAX)
        gone = _waits_for(lambda: not alive(meter))
    assert (process.returncode, gone) == (status, True)


def _waits_for(holds: Callable[[], bool]) -> bool:
    """Whether it holds within some seconds: the kernel needs a moment to end what has lost its parent."""
    with subprocess.Popen(["sleep", "20"]) as clock:
        try:
            until(clock, holds, 15)
        finally:
            clock.kill()
    return holds()
