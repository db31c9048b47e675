"""Input files line by line: plain, ``.gz`` or ``.zst``."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

import zstandard

from pipeline.model.errors import InputError

LINE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of a longer line only this much is read."""
ZSTD_BYTES_READ: Final = 2_048
"""How much of a ``.zst`` file is decompressed at a time: a few bytes may expand to 128 KiB, all in memory at once."""
_UNREADABLE: Final = (OSError, EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError)


def read_lines(path: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1, without line ends. A line beyond 64 MiB is cut.

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
            raise _unreadable(f"{path}:{number + 1}" if number else path, error) from error


def read_beginning(path: str, size: int) -> bytes:
    """The first bytes of a file's content, unpacked. Raises ``InputError`` where they cannot be read."""
    try:
        with _open(path) as source:
            return source.read(size)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def compression_of(path: str) -> Literal["", ".gz", ".zst"]:
    """How a file is compressed, by the end of its name; ``''`` is not at all."""
    suffix = Path(path).suffix.lower()
    if suffix == ".gz":
        return ".gz"
    return ".zst" if suffix == ".zst" else ""


def _unreadable(place: str, error: Exception) -> InputError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return InputError(place, f"cannot be read: {reason}", "Check the path, and that the file is whole")


def _open(path: str) -> BinaryIO:
    compression = compression_of(path)
    if compression and Path(path).is_file() and Path(path).stat().st_size == 0:
        raise EOFError(f"it is empty, and even without content no {compression} file is")
    if compression == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    file = Path(path).open("rb")  # noqa: SIM115 -- the caller closes it
    return cast(BinaryIO, io.BufferedReader(_ZstdReader(file))) if compression == ".zst" else file


class _ZstdReader(io.RawIOBase):
    """The content of a ``.zst`` file, frame after frame. Raises ``EOFError`` where the file ends inside a frame.

    The library's own stream reader does not notice that a file is cut off.
    """

    def __init__(self, compressed: BinaryIO) -> None:
        super().__init__()
        self._compressed, self._unread = compressed, b""
        self._content = memoryview(b"")
        self._frame: zstandard.ZstdDecompressionObj | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # the type of a writable buffer has no name before Python 3.12
        while not self._content:
            unread = self._unread or self._compressed.read(ZSTD_BYTES_READ)
            if not unread:
                if self._frame is not None:
                    raise EOFError("the compressed file ends before its last frame does")
                return 0
            frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._content = memoryview(frame.decompress(unread))
            self._unread, self._frame = (frame.unused_data, None) if frame.eof else (b"", frame)
        view = memoryview(buffer).cast("B")
        taken = min(len(view), len(self._content))
        view[:taken] = self._content[:taken]
        self._content = self._content[taken:]
        return taken

    def close(self) -> None:
        self._compressed.close()
        super().close()


def _skip_rest(source: BinaryIO) -> None:
    while (rest := source.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
        pass
