"""Input files of a run, and the identity of the log that they make.

Importing a file again is not another delivery: a run's log is named after its content, so the same files give the same
places in the same log, and nothing is counted twice.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Final, Literal

from pipeline.codec.heartbeat_file_hints import BEGINNING_BYTES, heartbeat_file_hint
from pipeline.codec.input_files import compression_of, read_beginning, read_blocks, read_lines
from pipeline.embedded.framing import FRAME_BYTES, FRAMING, Block, Line
from pipeline.model.errors import InputError, RunFailed

Format = Literal["heartbeats", "flexnet"]
STANDARD_INPUT: Final = "-"
BYTES_MAX: Final = 16 * 1024**3
"""For the files as they are, and for their lines once unpacked: about 50 million heartbeats, 4 GB in the broker."""
_REMEDY: Final = "Run it in parts into one --data-dir, or use Apache Kafka (docker-compose.yml)"
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read, and its name in messages."""

    name: str
    path: str

    def lines(self) -> Iterator[Line]:
        """Its lines. Raises ``InputError`` if it is truncated."""
        for number, content in read_lines(self.path):
            yield self.name, number, content

    def blocks(self) -> Iterator[Block]:
        """The same lines in blocks that each fit into a frame. Raises ``InputError`` if it is truncated."""
        for first, text in read_blocks(self.path, FRAME_BYTES):
            yield Block(self.name, first, text)

    def contents(self) -> Contents:
        """Its lines without their places, for a reader that numbers them itself."""
        return Contents(self.path)


@dataclass(frozen=True, slots=True)
class Contents:
    """The lines of a file, as often as they are asked for. Raises ``InputError`` if it is truncated."""

    path: str

    def __iter__(self) -> Iterator[bytes]:
        return map(itemgetter(1), read_lines(self.path))


def gather_inputs(names: Sequence[str], scratch: Path) -> tuple[Input, ...]:
    """The named files; standard input and pipes are copied to ``scratch``, because they can be read only once.

    Raises ``InputError`` for an unreadable file, and for more than the embedded broker can hold.
    """
    inputs = tuple(_input(name, scratch, ordinal) for ordinal, name in enumerate(dict.fromkeys(names), 1))
    size = input_bytes(inputs)
    if size > BYTES_MAX:
        raise InputError(
            ", ".join(file.name for file in inputs),
            f"{size:,} bytes are more than the embedded broker holds in memory ({BYTES_MAX:,})",
            _REMEDY,
        )
    return inputs


def input_bytes(inputs: Iterable[Input]) -> int:
    """The size of the files as they are, packed or not."""
    return sum(Path(file.path).stat().st_size for file in inputs)


def all_lines(inputs: Iterable[Input]) -> Iterator[Line]:
    """The lines of all inputs. Raises ``InputError`` for a truncated file, and for more than the broker can hold."""
    size = 0
    for file in inputs:
        for source, number, content in file.lines():
            size += len(content)
            if size > BYTES_MAX:
                raise _too_much(f"{source}:{number}")
            yield source, number, content


def all_blocks(inputs: Iterable[Input]) -> Iterator[Block]:
    """The same lines in blocks. Raises as ``all_lines`` does."""
    size = 0
    for file in inputs:
        for block in file.blocks():
            size += len(block.text)
            if size > BYTES_MAX:
                raise _too_much(f"{block.source}:{block.first}")
            yield block


def hints_at(inputs: Iterable[Input]) -> tuple[str, ...]:
    """For each file that holds no heartbeats by the line, where its beginning tells: what it is, and what to do."""
    hints = ((file.name, heartbeat_file_hint(read_beginning(file.path, BEGINNING_BYTES))) for file in inputs)
    return tuple(f"{name} {hint}" for name, hint in hints if hint is not None)


def log_identity(inputs: Sequence[Input], *options: str) -> str:
    """The name of the log that these files make with these options. It does not depend on the files' names."""
    digest = hashlib.sha256()
    for part in (FRAMING, *options):
        digest.update(len(part).to_bytes(8, "big") + part.encode("utf-8"))
    for file in inputs:
        digest.update(compression_of(file.path).encode())  # the same bytes, unpacked otherwise, are another log
        with Path(file.path).open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return f"files:{digest.hexdigest()[:32]}"


def _too_much(place: str) -> InputError:
    reason = f"more than {BYTES_MAX:,} bytes once unpacked, the most that the embedded broker holds"
    return InputError(place, reason, _REMEDY)


def _input(name: str, scratch: Path, ordinal: int) -> Input:
    if name == STANDARD_INPUT:
        if sys.stdin is None:
            raise InputError("-", "standard input is closed", "Send the input to it, or name a file")
        return Input("-", _kept(name, sys.stdin.buffer, scratch / "standard-input"))
    try:
        with Path(name).open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Input(name, _kept(name, file, scratch / f"pipe-{ordinal}{compression_of(name)}"))
            file.read(1)
    except OSError as error:
        raise _unreadable(name, error) from error
    return Input(name, name)


def _kept(name: str, stream: BinaryIO, path: Path) -> str:
    """Copy a stream to a file. Raises ``InputError`` where it cannot be read, ``RunFailed`` where the disk is full."""
    try:
        with path.open("wb") as file:
            for chunk in _chunks(name, stream):
                file.write(chunk)
    except OSError as error:
        reason = f"cannot hold {_input_words(name)} while it is read: {error.strerror}"
        raise RunFailed(str(path.parent), reason, "Make room there, or set TMPDIR to a folder that has some") from error
    return str(path)


def _chunks(name: str, stream: BinaryIO) -> Iterator[bytes]:
    try:
        while chunk := stream.read(_CHUNK):
            yield chunk
    except OSError as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: OSError) -> InputError:
    return InputError(name, f"cannot be read: {error.strerror}", "Give the path of a readable file, or -")


def _input_words(name: str) -> str:
    return "standard input" if name == STANDARD_INPUT else name
