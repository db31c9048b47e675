"""Files into the ``heartbeats`` topic: lines become frames, with the file and line of each heartbeat in the headers.

The meter is the only validator: a line that is not JSON is sent alone and unchanged. The members of a frame belong to
the same partition, so the key of the first is right for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from pipeline.codec.flexnet.log_lines import BrokenLine
from pipeline.codec.json_text import Json, NotJson, json_bytes, parse_json
from pipeline.codec.topics import denial_messages
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, FRAME_HEARTBEATS_MAX
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.headers import CODE_HEADER, LINES_HEADER, PROBLEM_HEADER, SOURCE_HEADER
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import DENIALS, HEARTBEATS, partition_of
from pipeline.model.text import TEXT_LENGTH_MAX

FRAME_HEARTBEATS: Final = 250
FRAME_BYTES: Final = 900_000
FRAME_BRACKETS: Final = 1_000
"""A heartbeat with more brackets could be nested so deeply that a frame around it could not be parsed."""
OVERSIZE_BYTES_KEPT: Final = 2_000_000
WRITE_MESSAGES: Final = 64

Line = tuple[str, int, bytes]
"""File, line number, content."""


class Framer:
    """Gathers heartbeats into frames, partition by partition. A line without an account belongs to ``account``."""

    def __init__(self, account: str, partitions: int) -> None:
        self._account, self._partitions = account, partitions
        self._frames: dict[int, _OpenFrame] = {}
        self._places: dict[tuple[str, str], tuple[bytes, int]] = {}

    def add(self, line: Line) -> Iterator[Outgoing]:
        """Take a line in; yields the frames that are full now, and the messages that go alone."""
        source, number, content = line
        try:
            parsed = parse_json(content)
        except NotJson:
            yield self._alone(line, None)
            return
        if isinstance(parsed, dict):
            yield from self._add_member(source, number, content, parsed)
        elif isinstance(parsed, list) and not self._fits(parsed, content):
            for member in parsed:
                yield from self._split(source, number, member)
        else:
            yield self._alone(line, parsed)

    def add_heartbeat(self, source: str, number: int, member: Mapping[str, Json]) -> Iterator[Outgoing]:
        """The same for a heartbeat that a reader made: it need not be parsed again."""
        yield from self._add_member(source, number, json_bytes(member), member)

    def rest(self) -> Iterator[Outgoing]:
        """The frames that are not full yet; the framer is empty then."""
        left, self._frames = self._frames, {}
        for frame in left.values():
            if frame.members:
                yield frame.close()

    def _fits(self, members: list[Json], content: bytes) -> bool:
        return len(members) <= FRAME_HEARTBEATS_MAX and len(content) <= FRAME_BYTES_MAX

    def _split(self, source: str, number: int, member: Json) -> Iterator[Outgoing]:
        content = json_bytes(member)
        if isinstance(member, dict):
            yield from self._add_member(source, number, content, member)
        else:  # in a frame of its own: alone, an array would be taken for a frame
            yield self._alone((source, number, b"[%s]" % content), None)

    def _add_member(self, source: str, number: int, content: bytes, member: Mapping[str, Json]) -> Iterator[Outgoing]:
        if _joins(member, content):
            yield from self._gather(source, number, content, member)
        else:
            yield self._alone((source, number, content), member)

    def _gather(self, source: str, number: int, content: bytes, member: Mapping[str, Json]) -> Iterator[Outgoing]:
        key, partition = self._place(member)
        frame = self._frames.get(partition)
        if frame is None:
            frame = self._frames[partition] = _OpenFrame(key, source)
        if frame.members and (frame.source != source or frame.size + len(content) > FRAME_BYTES):
            yield frame.close()
            frame = self._frames[partition] = _OpenFrame(key, source)
        frame.add(content, number)
        if len(frame.members) == FRAME_HEARTBEATS:
            yield frame.close()
            del self._frames[partition]

    def _alone(self, line: Line, parsed: Json | Mapping[str, Json]) -> Outgoing:
        source, number, content = line
        first = parsed[0] if isinstance(parsed, list) and parsed else parsed
        key, _ = self._place(first if isinstance(first, Mapping) else {})
        return Outgoing(HEARTBEATS, key, content[:OVERSIZE_BYTES_KEPT], _headers(source, [number]))

    def _place(self, member: Mapping[str, Json]) -> tuple[bytes, int]:
        named = (_name(member.get("account")) or self._account, _name(member.get("user")))
        place = self._places.get(named)
        if place is None:
            key = encode_key(*named)
            place = self._places[named] = (key, partition_of(key, self._partitions))
        return place


def _joins(member: Mapping[str, Json], content: bytes) -> bool:
    """Whether a heartbeat may share a frame. Not without an account: then only the message's key names it."""
    return (
        bool(_name(member.get("account")))
        and len(content) <= FRAME_BYTES
        and content.count(b"[") + content.count(b"{") <= FRAME_BRACKETS
    )


def _name(value: Json) -> str:
    """A name fit for a key. Without the limit a key could be longer than a whole message may be."""
    return value if isinstance(value, str) and len(value) <= TEXT_LENGTH_MAX else ""


class _OpenFrame:
    def __init__(self, key: bytes, source: str) -> None:
        self.key, self.source, self.size = key, source, 0
        self.members: list[bytes] = []
        self._lines: list[int] = []

    def add(self, content: bytes, number: int) -> None:
        self.members.append(content)
        self._lines.append(number)
        self.size += len(content) + 1

    def close(self) -> Outgoing:
        return Outgoing(HEARTBEATS, self.key, b"[%s]" % b",".join(self.members), _headers(self.source, self._lines))


def _headers(source: str, lines: list[int]) -> tuple[tuple[str, bytes], ...]:
    return ((SOURCE_HEADER, source.encode("utf-8", "surrogateescape")), (LINES_HEADER, json_bytes(lines)))


async def import_heartbeats(
    lines: Iterable[Line], producer: Producer, framer: Framer, progress: Callable[[int], None]
) -> int:
    """Write every line that is not blank and return their number; ``progress`` gets the number so far."""
    batch: list[Outgoing] = []
    number = 0
    for line in lines:
        if line[2].strip():
            batch += framer.add(line)
            number += 1
        if len(batch) >= WRITE_MESSAGES:
            await producer.write(batch)
            batch = []
            progress(number)
    await producer.write([*batch, *framer.rest()])
    progress(number)
    return number


async def import_broken(broken: Iterable[BrokenLine], producer: Producer, account: str) -> None:
    """Write lines that a reader could not parse, each alone and unchanged, with code and problem in headers."""
    await producer.write(
        Outgoing(
            HEARTBEATS,
            encode_key(account, ""),
            line.raw[:OVERSIZE_BYTES_KEPT],
            (
                *_headers(line.source, [line.line]),
                (PROBLEM_HEADER, line.reason.encode("utf-8")),
                (CODE_HEADER, line.code.encode("utf-8")),
            ),
        )
        for line in broken
    )


def denial_message(denial: Denial) -> Outgoing:
    """A denial of a licence server's log as a message."""
    return Outgoing(DENIALS, encode_key(denial.account), denial_messages.encode(denial))
