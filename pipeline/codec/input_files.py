"""Input files, plain, ``.gz`` or ``.zst``: line by line, or in blocks of whole lines."""

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
UTF_8_BOM: Final = b"\xef\xbb\xbf"
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
                    line = line.removeprefix(UTF_8_BOM)
                yield number, line.rstrip(b"\r\n")
        except _UNREADABLE as error:
            raise _unreadable(f"{path}:{number + 1}" if number else path, error) from error


def read_blocks(path: str, size: int) -> Iterator[tuple[int, bytes]]:
    """The same lines, as many together as ``size`` bytes hold, each block with the number of its first line.

    Line ends separate the lines of a block; a ``\\r`` before them is left. A line longer than ``size`` is a block by
    itself. Raises as ``read_lines`` does.
    """
    block, first, line = b"", 1, 1
    with ExitStack() as stack:
        try:
            source = stack.enter_context(_open(path))
            # Not `read`: it would lose what it had read before an error, and with it the number of the line reached.
            while piece := source.read1(size - len(block)):
                line += piece.count(b"\n")
                block += piece
                if len(block) < size:
                    continue
                if line == first:
                    line += 1
                    block = _whole_line(block, source)
                lines, _, rest = block.rpartition(b"\n")
                yield first, lines.removeprefix(UTF_8_BOM) if first == 1 else lines
                block, first = rest, line
        except _UNREADABLE as error:
            raise _unreadable(f"{path}:{line}" if line > 1 else path, error) from error
    if block:
        yield first, (block.removeprefix(UTF_8_BOM) if first == 1 else block).removesuffix(b"\n")


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


def _open(path: str) -> io.BufferedReader:
    compression = compression_of(path)
    if compression and Path(path).is_file() and Path(path).stat().st_size == 0:
        raise EOFError(f"it is empty, and even without content no {compression} file is")
    if compression == ".gz":
        return cast(io.BufferedReader, gzip.open(path, "rb"))
    file = Path(path).open("rb")  # noqa: SIM115 -- the caller closes it
    return io.BufferedReader(_ZstdReader(file)) if compression == ".zst" else file


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


def _whole_line(beginning: bytes, source: BinaryIO) -> bytes:
    """A line with its end, cut after 64 MiB."""
    line = beginning + source.readline(max(0, LINE_BYTES_MAX - len(beginning)))
    if line.endswith(b"\n"):
        return line
    _skip_rest(source)
    return line + b"\n"


def _skip_rest(source: BinaryIO) -> None:
    while (rest := source.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
        pass
