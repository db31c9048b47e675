"""Commands on the store of a run, in narrow terminals, narrow encodings, and with nowhere to write."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from tests.support.evidence.small_world import World
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import PROGRAM, surroundings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the devices and terminals of Linux"),
]


@pytest.fixture(scope="module")
def store(kept: dict[str, Any], world: World) -> Path:
    """A copy of a run's store, to place orders in."""
    assert kept["lines"]
    return Path(shutil.copytree(world.folder / "kept", world.folder / "kept-by-terminals", symlinks=True))


def on_terminal(columns: int, world: World, *words: str | Path) -> str:
    """What a command shows on a terminal of so many columns."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = surroundings(world.temporary, {"TERM": "xterm"})
    with subprocess.Popen(
        [*PROGRAM, *map(str, words)], stdin=subprocess.DEVNULL, stdout=its, stderr=its, env=environment, cwd=ROOT
    ) as process:
        os.close(its)
        shown = bytearray()
        while chunk := _read(ours):
            shown += chunk
        os.close(ours)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so where nobody has the other end open any more
        return b""


@pytest.mark.parametrize("columns", [160, 80, 60, 40])
def test_a_statement_shows_every_figure_whole_at_any_width(
    columns: int, store: Path, kept: dict[str, Any], world: World
) -> None:
    lines = on_terminal(columns, world, "statement", "--data-dir", store, "--period", "2022Q2").splitlines()
    assert max(map(len, lines)) <= columns
    figures = [kept["total"], f"{kept['basis']['heartbeats']:,}"]
    for line in kept["lines"]:
        figures += [str(line[name]) for name in ("entitled", "peak", "overuse", "overuse_days", "term_licenses")]
        figures += [line[name] or "no price" for name in ("unit_price", "amount")]
        figures += [slot[:16].replace("T", " ") for slot in line["peak_slots"][:1]]
    for figure in figures:
        assert any(re.search(rf"(?<![^\s│]){figure}(?![^\s│])", line) for line in lines), figure
    assert [line for line in lines if "…" in line and "sha256:" not in line] == []


@pytest.mark.parametrize("encoding", ["ascii", "iso8859-2"])
def test_a_statement_is_whole_in_a_narrow_encoding(encoding: str, store: Path, world: World) -> None:
    environment = surroundings(world.temporary, {"PYTHONIOENCODING": encoding})
    words = [*PROGRAM, "statement", "--data-dir", str(store), "--period", "2022Q2"]
    done = subprocess.run(words, capture_output=True, env=environment, cwd=ROOT, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.search(rb"contract sha256:[0-9a-f]{12}\?\n$", done.stdout)


def test_an_order_whose_outcome_cannot_be_written_is_told_on_stderr_with_its_id(store: Path, world: World) -> None:
    words = ["void", "--data-dir", store, "--machine", "ws-0001", "--from", "2022-05-02", "--until", "2022-05-03"]
    command = ["sh", "-c", '"$@" >/dev/full', "sh", *PROGRAM, *map(str, words), "--reason", "a test"]
    done = subprocess.run(
        command, capture_output=True, env=surroundings(world.temporary), cwd=ROOT, timeout=60, check=False
    )
    accepted, failed = done.stderr.decode().splitlines()[-2:]
    ordered = re.fullmatch(r"seatbeat: accepted: void .* \(id ([0-9a-f]{16})\)", accepted)
    assert done.returncode == 1
    assert ordered is not None
    assert failed.startswith("seatbeat: standard output: cannot be written: No space left on device. What was ordered")
    assert ordered[1] in failed
    listed = world.ask("commands", store.name, "--output", "json").json
    assert [order["id"] for order in listed] == [ordered[1]]
