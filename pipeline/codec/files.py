"""Input files line by line: plain, ``.gz``, ``.zst``, or standard input (``-``)."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, cast

import zstandard

from pipeline.model.errors import InputError

LINE_BYTES_MAX: Final = 64 * 1024 * 1024
STANDARD_INPUT: Final = "-"
_UNREADABLE: Final = (OSError, EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError)


def read_lines(path: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1, without line ends; of a line beyond 64 MiB only that much.

    Raises ``InputError`` where the file cannot be opened or is broken, naming the line reached.
    """
    number = 0
    with ExitStack() as stack:
        try:
            source = stack.enter_context(_open(path))
            while line := source.readline(LINE_BYTES_MAX):
                number += 1
                if not line.endswith(b"\n") and len(line) == LINE_BYTES_MAX:
                    _skip_rest(source)
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                yield number, line.rstrip(b"\r\n")
        except _UNREADABLE as error:
            place = f"{path}:{number + 1}" if number else path
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise InputError(
                place, f"cannot be read: {reason}", "Check the path, and that the file is whole"
            ) from error


def _open(path: str) -> BinaryIO:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer
    suffix = Path(path).suffix.lower()
    if suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    if suffix == ".zst":
        decompressor = zstandard.ZstdDecompressor()
        compressed = Path(path).open("rb")  # noqa: SIM115 -- the reader closes it
        reader = decompressor.stream_reader(compressed, read_across_frames=True, closefd=True)
        return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, reader)))
    return Path(path).open("rb")


def _skip_rest(source: BinaryIO) -> None:
    while (rest := source.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
        pass
