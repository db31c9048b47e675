"""The standard streams, so that a command ends in order whatever they lead to.

A stream may be closed (``>&-``), full (``> /dev/full``), gone (a pipe whose reader has ended), not ready (a pipe that
does not block), or in an encoding that lacks a character. Results that cannot be written end the command with
``RunFailed``; messages that cannot be written are dropped, and never appear among results. What an encoding lacks
becomes a replacement character.
"""

from __future__ import annotations

import io
import os
import select
import sys
from typing import Any, Final, TextIO

from pipeline.model.errors import RunFailed

RESULTS: Final = "standard output"
_REMEDY: Final = "Choose a place that takes the output, and run the command again"


def secure_streams() -> None:
    """Put streams in place that never fail in another way. The first thing that a process does.

    A closed descriptor is opened on nothing: the next file that is opened would take its number, and a library that
    writes to standard error would write into a store.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            _open_on_nothing(number)
    sys.stdout = _text_stream(sys.stdout, _Results, errors="replace")
    sys.stderr = _text_stream(sys.stderr, _Messages, errors="backslashreplace")


def flush_results() -> None:
    """Write what is buffered of the results. Raises ``RunFailed``, or ``BrokenPipeError`` where nobody reads on."""
    sys.stdout.flush()


class _Sink(io.RawIOBase):
    """Writes all of what it is given, or learns once that it cannot; what comes after that is dropped.

    ``stream`` is ``None`` for a closed one.
    """

    def __init__(self, stream: io.RawIOBase | None) -> None:
        super().__init__()
        self._stream, self._has_failed = stream, False

    def failed(self, reason: str, error: OSError | None) -> None:
        """What follows from output that cannot be written."""
        raise NotImplementedError

    def write(self, data: Any) -> int:  # the type of a buffer has no name before Python 3.12
        unwritten = memoryview(data).cast("B")
        size = len(unwritten)
        while unwritten and not self._has_failed:
            unwritten = unwritten[self._written(unwritten) :]
        return size

    def _written(self, data: memoryview) -> int:
        if self._stream is None:
            self._has_failed = True
            self.failed("is closed", None)
            return len(data)
        try:
            count = self._stream.write(data)
        except OSError as error:
            self._has_failed = True
            self.failed(f"cannot be written: {error.strerror or error}", error)
            return len(data)
        if count is None:  # a descriptor that does not block, and is not ready
            select.select([], [self._stream], [])
        return count or 0

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        if self._stream is None:
            raise io.UnsupportedOperation("a closed stream has no descriptor")
        return self._stream.fileno()


class _Results(_Sink):
    """Standard output: a result that is not written is not a result."""

    def failed(self, reason: str, error: OSError | None) -> None:
        if isinstance(error, BrokenPipeError):
            raise error
        raise RunFailed(RESULTS, reason, _REMEDY) from error


class _Messages(_Sink):
    """Standard error: a command does its work even if nobody can hear of it."""

    def failed(self, reason: str, error: OSError | None) -> None:
        """Nothing follows from it."""


def _text_stream(stream: TextIO | None, sink: type[_Sink], errors: str) -> TextIO:
    """The stream in place of another: its encoding and buffering are the same."""
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(sink(None)), encoding="utf-8", errors=errors)
    if not isinstance(stream, io.TextIOWrapper):
        return stream  # somebody's own, in a program that has this one in it
    buffer: Any = stream.buffer
    raw = getattr(buffer, "raw", None)  # an unbuffered stream (PYTHONUNBUFFERED) is its own raw one
    binary: Any = sink(buffer) if raw is None else io.BufferedWriter(sink(raw))
    return io.TextIOWrapper(
        binary,
        encoding=stream.encoding,
        errors=errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _open_on_nothing(number: int) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)
