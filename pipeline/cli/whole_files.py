"""Files that a command writes: each is there whole, or as it was before."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.model.errors import InputError, RunFailed

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, put in its place at the end of the ``with`` and only if nothing failed. Raises ``OSError``.

    A device or a pipe is written as it is.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]  # a name may be as long as a name can be
    part = path.with_name(f".seatbeat-{name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def not_written(place: str, error: OSError) -> InputError | RunFailed:
    """Why a file could not be written: the disk failed, or the place is wrong."""
    reason = f"cannot be written: {error.strerror or error}"
    if error.errno in _NO_ROOM:
        return RunFailed(place, reason, "Make room there, or name another place, and run the command again")
    return InputError(place, reason, "Name a file or folder that may be written")
