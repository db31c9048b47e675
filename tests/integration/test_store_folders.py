"""Folders of embedded stores: none, in use, read-only; and an engine that loads whatever the time zone is called."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.evidence.small_world import World
from tests.support.process.seatbeat_process import PROGRAM, Ended, ended, read_line, running, seatbeat

HOLD: Final = (
    "import sys; from pipeline.store.client import connect; client = connect('chdb://' + sys.argv[1]); "
    "print('open', flush=True); sys.stdin.read(); client.close()"
)
WRITABLE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
pytestmark = pytest.mark.usefixtures("kept")


def as_somebody(world: World, *words: str | Path) -> Ended:
    """A command whose user may write only where the permissions allow it, as everybody but root."""
    command: Sequence[str | Path] = (*PROGRAM, *words)
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and there is no setpriv to take that away")
        command = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", *command)
    with running(command, temporary=world.temporary) as process:
        return ended(process)


@pytest.fixture(scope="module")
def archive(kept: dict[str, Any], world: World) -> Iterator[Path]:
    """A copy of the store of a run to which nobody may write."""
    folder = world.folder / "archive"
    shutil.copytree(world.folder / "kept", folder, symlinks=True)
    paths = [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]
    for path in paths:
        path.chmod(path.stat().st_mode & ~WRITABLE)
    yield folder
    for path in paths:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def contents(folder: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def test_an_archive_is_read_and_stays_as_it_is(archive: Path, kept: dict[str, Any], world: World) -> None:
    before = contents(archive)
    read = as_somebody(world, "statement", "--data-dir", archive, "--period", "2022Q2", "--output", "json")
    assert (read.status, read.err, read.json) == (0, "", kept)
    assert contents(archive) == before
    assert list(world.temporary.iterdir()) == []


@pytest.mark.parametrize("words", ["close 2022Q1", "void --reason test --machine ws-1 --from 2022-05-01"])
def test_an_archive_takes_no_orders(words: str, archive: Path, world: World) -> None:
    before = contents(archive)
    refused = as_somebody(world, *words.split(), "--data-dir", archive)
    assert (refused.status, refused.out) == (2, b"")
    assert refused.err.startswith(f"seatbeat: {archive}: is read-only. Allow writing to it")
    assert refused.err.count("\n") == 1
    assert contents(archive) == before


def test_a_store_in_use_is_refused_in_a_line_that_names_the_process(world: World) -> None:
    command = (sys.executable, "-c", HOLD, world.folder / "kept")
    with running(command, temporary=world.temporary, stdin=subprocess.PIPE) as holder:
        assert read_line(holder) == b"open\n"
        read = world.ask("statement", "kept", "--period", "2022Q2")
        run = world.run(world.folder / "whole.ndjson", options=("--data-dir", world.folder / "kept"))
    reason = f"seatbeat: {world.folder / 'kept'}: is in use by process {holder.pid}. Wait until that has ended"
    for refused in (read, run):
        assert (refused.status, refused.out) == (2, b"")
        assert refused.err.startswith(reason)
        assert refused.err.count("\n") == 1


@pytest.mark.parametrize(
    "command", ["statement --period 2022Q2", "usage", "commands", "dead-letters list", "contract list --account studio"]
)
def test_a_question_lays_nothing_out(command: str, world: World) -> None:
    folder = world.folder / "new"
    environment = {"SEATBEAT_CLICKHOUSE_DSN": f"chdb://{folder}"}
    refused = seatbeat(*command.split(), temporary=world.temporary, environment=environment)
    assert (refused.status, refused.out) == (2, b"")
    assert refused.err.startswith(f"seatbeat: SEATBEAT_CLICKHOUSE_DSN: {folder} holds no store. ")
    assert not folder.exists()


@pytest.mark.parametrize("zone", ["CET-1CEST", "Nowhere/Atlantis", "Asia/Kathmandu"])
def test_the_time_zone_of_the_computer_does_not_matter(zone: str, kept: dict[str, Any], world: World) -> None:
    question = ("statement", "--data-dir", world.folder / "kept", "--period", "2022Q2", "--output", "json")
    with running((*PROGRAM, *question), temporary=world.temporary, environment={"TZ": zone}) as process:
        read = ended(process)
    assert (read.status, read.err, read.json) == (0, "", kept)
