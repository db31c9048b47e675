"""The folder of an embedded store: who uses it, what keeps the engine from opening it, and its copy."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.model.errors import InputError
from pipeline.store.embedded_folder import copied, holds_store, obstacle

LOCK = (
    "import fcntl, sys; status = open(sys.argv[1]); fcntl.flock(status, fcntl.LOCK_EX); print('locked', flush=True); "
    "sys.stdin.read()"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as the engine lays it out: links are relative, and tables lie in folders of their own."""
    table = tmp_path / "kept" / "store" / "7b4" / "7b428209"
    table.mkdir(parents=True)
    (table / "usage.sql").write_text("ATTACH TABLE")
    (tmp_path / "kept" / "metadata").mkdir()
    (tmp_path / "kept" / "metadata" / "default").symlink_to("../store/7b4/7b428209")
    return tmp_path / "kept"


@contextmanager
def locked(folder: Path, status: str) -> Iterator[int]:
    """A folder whose status file another process has locked; yields that process's number."""
    (folder / "status").write_text(status)
    command = [sys.executable, "-c", LOCK, str(folder / "status")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        yield process.pid
        process.communicate()


def test_a_folder_that_is_not_there_or_is_writable_has_no_obstacle(folder: Path) -> None:
    assert obstacle(folder) is None
    assert obstacle(folder / "none") is None
    (folder / "status").write_text("PID: 1\n")  # left behind by a process that was killed
    assert obstacle(folder) is None


def test_a_file_is_no_folder(folder: Path) -> None:
    (folder.parent / "file").touch()
    seen = obstacle(folder.parent / "file")
    assert seen is not None
    assert seen.reason == "is no folder"


@pytest.mark.parametrize(
    ("status", "user"), [("PID: 4711\nStarted at: now\n", "process 4711"), ("", "another process")]
)
def test_a_folder_in_use_is_neither_opened_nor_copied(folder: Path, status: str, user: str) -> None:
    with locked(folder, status):
        seen = obstacle(folder)
        assert seen is not None
        assert seen.reason == f"is in use by {user}"
        with pytest.raises(InputError, match=f"is in use by {user}"), copied(folder):
            pass
    assert obstacle(folder) is None


def test_a_process_may_open_its_own_folder_again(folder: Path) -> None:
    (folder / "status").write_text(f"PID: {os.getpid()}\n")
    with (folder / "status").open() as status:
        fcntl.flock(status, fcntl.LOCK_EX)
        assert obstacle(folder) is None


def test_a_folder_that_may_not_be_written_to_is_an_obstacle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = folder / "store" / "7b4" / "7b428209"
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != table)
    seen = obstacle(folder)
    assert seen is not None
    assert seen.reason == "is read-only"


def test_a_copy_has_the_contents_may_be_written_to_and_is_gone_afterwards(folder: Path) -> None:
    (folder / "status").touch()
    (folder / "store" / "7b4").chmod(0o500)
    with copied(folder) as copy:
        assert (copy / "metadata" / "default" / "usage.sql").read_text() == "ATTACH TABLE"
        assert (copy / "metadata" / "default").readlink() == Path("../store/7b4/7b428209")
        assert (copy / "store" / "7b4").stat().st_mode & 0o700 == 0o700
        assert not (copy / "status").exists()
    assert not copy.exists()
    (folder / "store" / "7b4").chmod(0o700)


def test_a_copy_that_fails_is_refused_with_the_reason(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(InputError, match=r"cannot be copied to .*: No space left on device") as refused, copied(folder):
        pass
    assert (refused.value.place, "TMPDIR" in refused.value.remedy) == (str(folder), True)


def test_a_folder_holds_a_store_where_the_engine_keeps_its_tables(folder: Path) -> None:
    assert holds_store(folder)
    assert not holds_store(folder / "store")
    assert not holds_store(folder / "none")
