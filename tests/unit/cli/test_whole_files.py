"""Files that a command writes are whole, or as they were."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.cli.whole_files import not_written, whole_file
from pipeline.model.errors import InputError, RunFailed


def test_a_file_is_there_at_the_end_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "fleet.ndjson"
    with whole_file(path) as file:
        file.write(b"as it is")
        assert not path.exists()
    assert path.read_bytes() == b"as it is"
    assert [*tmp_path.iterdir()] == [path]


def write_and_fail(folder: Path, error: BaseException) -> None:
    with ExitStack() as files:
        files.enter_context(whole_file(folder / "a")).write(b"new")
        files.enter_context(whole_file(folder / "b")).write(b"new")
        raise error


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_what_fails_leaves_every_file_as_it_was(error: BaseException, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"as it was")
    with pytest.raises(type(error)):
        write_and_fail(tmp_path, error)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"as it was"}


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"as it was")
    (tmp_path / "link").symlink_to("file")
    with whole_file(tmp_path / "link") as file:
        file.write(b"as it is")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"as it is"
    with whole_file(Path(os.devnull)) as file:
        file.write(b"nothing")
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("length", [100, 250])
def test_a_long_name_is_no_obstacle(length: int, tmp_path: Path) -> None:
    with whole_file(tmp_path / ("é" * (length // 2))) as file:
        file.write(b"as it is")
    assert len([*tmp_path.iterdir()]) == 1


def test_a_full_disk_is_a_failure_and_a_wrong_place_is_wrong_input(tmp_path: Path) -> None:
    assert isinstance(not_written("a", OSError(errno.ENOSPC, "No space left on device")), RunFailed)
    refused = not_written("a", OSError(errno.EACCES, "Permission denied"))
    assert isinstance(refused, InputError)
    assert str(refused) == "a: cannot be written: Permission denied. Name a file or folder that may be written"
