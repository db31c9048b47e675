"""The folder of an embedded store: whether it holds one, who uses it, and how a read-only one is read.

The engine writes beside its tables even where it is only asked. So an archive that nobody may write to is read from a
copy, which lasts as long as the question (docs/decisions/0033).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.model.errors import InputError

_STATUS: Final = "status"
"""The file that an engine locks for as long as it has its folder open."""
_LEFT_OUT: Final = frozenset({_STATUS, "tmp"})


class Obstacle(NamedTuple):
    """Why the engine cannot open a folder, and what to do."""

    reason: str
    remedy: str


def holds_store(folder: Path) -> bool:
    """Whether a folder holds an embedded store. Raises ``InputError`` for a folder that may not be looked into."""
    try:
        return (folder / "metadata").is_dir()
    except OSError as error:
        raise InputError(str(folder), f"cannot be read: {error.strerror}", "Ask for the right to read it") from error


def obstacle(folder: Path) -> Obstacle | None:
    """Why the engine could not open a folder now; ``None`` where nothing is seen that would prevent it."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        return Obstacle("is no folder", "Give the folder of a store")
    user = _other_user(folder)
    if user is not None:
        return Obstacle(f"is in use by {user}", "Wait until that has ended, or give another folder")
    if not is_writable(folder):
        return Obstacle("is read-only", "Allow writing to it and all in it, or copy it to a folder that allows it")
    return None


def is_writable(folder: Path) -> bool:
    """Whether this process may write to a store's folder, and to the folders of its tables."""
    places = [folder, *folder.glob("*"), *folder.glob("store/*/*")]
    return all(os.access(place, os.W_OK | os.X_OK) for place in places if place.is_dir())


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A copy of a store that may be written to, in the temporary folder. Raises ``InputError`` where it fails."""
    if (user := _other_user(folder)) is not None:  # it would change while it is copied
        raise InputError(str(folder), f"is in use by {user}", "Wait until that has ended")
    with tempfile.TemporaryDirectory(prefix="seatbeat-", ignore_cleanup_errors=True) as temporary:
        copy = Path(temporary) / "store"
        try:
            _copy(folder, copy)
        except OSError as error:
            reason = f"is read-only and cannot be copied to {temporary} to be read: {error.strerror}"
            raise InputError(
                str(folder), reason, "Allow reading all of it, and set TMPDIR to a folder with room"
            ) from error
        yield copy


def _copy(folder: Path, copy: Path) -> None:
    """Copy contents without permissions: whoever may only read the folder may write to its copy."""
    copy.mkdir()
    with os.scandir(folder) as entries:
        for entry in entries:
            target = copy / entry.name
            if entry.is_symlink():
                target.symlink_to(Path(entry.path).readlink())  # within the store: the engine links relative paths
            elif entry.is_dir():
                _copy(Path(entry.path), target)
            elif entry.name not in _LEFT_OUT:
                shutil.copyfile(entry.path, target)


def _other_user(folder: Path) -> str | None:
    """Which other process has a store open; ``None`` for none, and for this one, which may open it again."""
    try:
        import fcntl  # noqa: PLC0415 -- there is no embedded engine where there is no fcntl
    except ImportError:
        return None
    with suppress(OSError), (folder / _STATUS).open("rb") as status:
        try:
            fcntl.flock(status, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            number = re.search(rb"PID: (\d+)", status.read(1024))
            if number is None:
                return "another process"
            return None if int(number[1]) == os.getpid() else f"process {int(number[1])}"
    return None
