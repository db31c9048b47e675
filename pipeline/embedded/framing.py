"""Lines of files become messages of ``heartbeats``, with the file and line of each heartbeat in the headers.

The meter is the only validator, so a line is not parsed here: whole blocks of a file are frames of lines as they are. A
frame belongs to no single user, so frames go over the partitions in turn: facts merge in any order. The key names the
importing account, to which a line that names none belongs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from typing import Final, NamedTuple

import numpy as np

from pipeline.codec.json_text import Json, NotJson, json_bytes, parse_json
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, FRAME_HEARTBEATS_MAX, LINES_MARK
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.headers import LINES_HEADER, SOURCE_HEADER
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.topics import HEARTBEATS
from pipeline.model.text import TEXT_LENGTH_MAX

FRAME_BYTES: Final = 256 * 1024
"""Of a block of lines. Measured at 64 to 900 KiB (tests/bench/README.md)."""
FRAMING: Final = f"lines-{FRAME_BYTES}"
"""Part of the log's name. It must change with anything by which the same files would become other messages, or messages
at other places: their heartbeats would be counted again as those of the old log."""
OVERSIZE_BYTES_KEPT: Final = 2_000_000
_JSON_SPACES: Final = b" \t\r"

Line = tuple[str, int, bytes]
"""File, line number, content."""


class Block(NamedTuple):
    """Consecutive lines of a file, joined by line ends; ``first`` is the number of the first."""

    source: str
    first: int
    text: bytes


class Framer:
    """Makes messages of lines. A line without an account belongs to ``account``. ``lines`` counts those not blank."""

    def __init__(self, account: str, partitions: int) -> None:
        self.lines = 0
        self._account, self._key = account, encode_key(account, "")
        self._turns = cycle(range(partitions))
        self._open = _OpenFrame("")

    def of_blocks(self, blocks: Iterable[Block]) -> Iterator[Outgoing]:
        """The messages of whole files."""
        for block in blocks:
            objects = _objects(block.text) if len(block.text) <= FRAME_BYTES else 0
            if 0 < objects <= FRAME_HEARTBEATS_MAX:
                self.lines += objects
                numbers = range(block.first, block.first + objects)
                yield self._message(LINES_MARK + block.text, block.source, numbers)
            else:
                for number, content in enumerate(block.text.split(b"\n"), block.first):
                    yield from self.add((block.source, number, content))
        yield from self.rest()

    def of_lines(self, lines: Iterable[Line]) -> Iterator[Outgoing]:
        """The messages of single lines."""
        for line in lines:
            yield from self.add(line)
        yield from self.rest()

    def add(self, line: Line) -> Iterator[Outgoing]:
        """Take a line in; yields the messages that are full now."""
        source, number, content = line
        if not content.strip():
            return
        self.lines += 1
        array = _array(content)
        if array is None:
            yield from self._gather(source, number, content)
        elif len(array) <= FRAME_HEARTBEATS_MAX and len(content) <= FRAME_BYTES_MAX:
            yield self._message(content, source, [number], self._key_of(array))
        else:
            for member in array:
                yield from self._gather(source, number, json_bytes(member))

    def _gather(self, source: str, number: int, content: bytes) -> Iterator[Outgoing]:
        if len(LINES_MARK) + len(content) > FRAME_BYTES_MAX:
            yield self._message(content[:OVERSIZE_BYTES_KEPT], source, [number])
            return
        if self._open.lines and not self._open.has_room(source, content):
            yield from self.rest()
        self._open.source = source
        self._open.add(number, content)

    def rest(self) -> Iterator[Outgoing]:
        """The frame that is not full yet; the framer is empty then."""
        frame, self._open = self._open, _OpenFrame("")
        if frame.lines:
            yield self._message(LINES_MARK + b"\n".join(frame.lines), frame.source, frame.numbers)

    def _message(self, value: bytes, source: str, numbers: Sequence[int], key: bytes | None = None) -> Outgoing:
        headers = source_headers(source, numbers)
        return Outgoing(HEARTBEATS, self._key if key is None else key, value, headers, next(self._turns))

    def _key_of(self, array: list[Json]) -> bytes:
        """An array's members without an account belong to that of the first."""
        first = array[0] if array else None
        account = first.get("account") if isinstance(first, dict) else None
        if isinstance(account, str) and 0 < len(account) <= TEXT_LENGTH_MAX:
            return encode_key(account, "")
        return self._key


class _OpenFrame:
    """Lines of one file that are gathered."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.numbers: list[int] = []
        self.lines: list[bytes] = []
        self._size = 0

    def has_room(self, source: str, content: bytes) -> bool:
        is_full = len(self.lines) == FRAME_HEARTBEATS_MAX or self._size + len(content) > FRAME_BYTES
        return source == self.source and not is_full

    def add(self, number: int, content: bytes) -> None:
        self.numbers.append(number)
        self.lines.append(content)
        self._size += len(content) + 1


def source_headers(source: str, numbers: Sequence[int]) -> tuple[tuple[str, bytes], ...]:
    """The headers that name the file, and the line of each member."""
    return ((SOURCE_HEADER, source.encode("utf-8", "surrogateescape")), (LINES_HEADER, json_bytes([*numbers])))


def _objects(text: bytes) -> int:
    """The number of lines where each begins as an object does, else 0: a blank line is none, an array is a frame.

    By columns of bytes this takes a third of what ``bytes.count`` takes.
    """
    if not text.startswith(b"{") or text.endswith(b"\n"):
        return 0
    written = np.frombuffer(text, np.uint8)
    beginnings = written[np.flatnonzero(written[:-1] == ord("\n")) + 1]
    return len(beginnings) + 1 if (beginnings == ord("{")).all() else 0


def _array(content: bytes) -> list[Json] | None:
    """The members of a line that is an array."""
    if not content.lstrip(_JSON_SPACES).startswith(b"["):
        return None
    try:
        parsed = parse_json(content)
    except NotJson:
        return None
    return parsed if isinstance(parsed, list) else None
