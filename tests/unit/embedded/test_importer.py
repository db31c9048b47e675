"""Messages of files are written in groups, in order, with progress; readers' other lines have their headers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import orjson
import pytest

from pipeline.codec.flexnet.log_lines import BrokenLine
from pipeline.codec.topics import denial_messages
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.message_keys import decode_key, encode_key
from pipeline.embedded.framing import OVERSIZE_BYTES_KEPT, Block, Framer
from pipeline.embedded.importer import WRITE_BYTES, denial_message, import_broken, import_heartbeats
from pipeline.kafka.headers import CODE_HEADER, PROBLEM_HEADER
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import DENIALS, HEARTBEATS
from pipeline.model.errors import InputError
from tests.support.evidence.frame_members import AT, MINIMAL

HEARTBEAT = orjson.dumps(MINIMAL)


class Recorder(Producer):
    """A producer that keeps the messages of each write."""

    def __init__(self, error: Exception | None = None) -> None:
        self.writes: list[list[Outgoing]] = []
        self._error = error

    async def write(self, messages: Iterable[Outgoing]) -> None:
        await asyncio.sleep(0)
        if self._error is not None:
            raise self._error
        self.writes.append(list(messages))


def imported(producer: Producer, blocks: Iterable[Block]) -> tuple[int, list[int]]:
    """The number of lines, and the progress reported on the way."""
    framer, heard = Framer("acme", 1), list[int]()
    count = asyncio.run(import_heartbeats(framer.of_blocks(blocks), framer, producer, heard.append))
    return count, heard


def numbers(messages: Iterable[Outgoing]) -> list[int]:
    return [number for sent in messages for number in orjson.loads(dict(sent.headers)["lines"])]


def test_blank_lines_are_skipped_but_counted_in_line_numbers() -> None:
    producer = Recorder()
    text = b"\n".join((HEARTBEAT, b"", b"  \t", HEARTBEAT, b"\xa0", b"{}"))
    assert imported(producer, [Block("beats", 1, text)]) == (4, [4, 4])
    assert numbers(sent for write in producer.writes for sent in write) == [1, 4, 5, 6]


def test_messages_are_written_in_order_in_groups_and_progress_is_reported() -> None:
    producer = Recorder()
    lines = [b'{"note":"%s"}' % (b"x" * 200_000)] * 50
    count, heard = imported(producer, (Block("beats", number, line) for number, line in enumerate(lines, 1)))
    assert (count, heard[-1]) == (50, 50)
    assert heard == sorted(heard)
    assert numbers(sent for write in producer.writes for sent in write) == list(range(1, 51))
    sizes = [sum(len(sent.value) for sent in write) for write in producer.writes]
    assert [size >= WRITE_BYTES for size in sizes] == [True, True, False]
    assert max(sizes) < WRITE_BYTES + 250_000


def test_an_empty_file_is_imported() -> None:
    producer = Recorder()
    assert imported(producer, []) == (0, [0])
    assert producer.writes == []


def test_an_error_of_the_reader_or_of_the_broker_is_raised() -> None:
    def broken() -> Iterator[Block]:
        yield Block("beats", 1, HEARTBEAT)
        raise InputError("beats:2", "cannot be read", "Mend it")

    with pytest.raises(InputError, match="beats:2"):
        imported(Recorder(), broken())
    with pytest.raises(ConnectionError):
        imported(Recorder(ConnectionError()), [Block("beats", 1, HEARTBEAT)])


def test_a_line_that_a_reader_could_not_read_is_sent_with_code_and_reason() -> None:
    producer = Recorder()
    broken = BrokenLine("lmgrd.log", 7, b"x" * 3_000_000, "unreadable_clock", "no time stamp")
    asyncio.run(import_broken([broken], producer, "acme"))
    [[message]] = producer.writes
    headers = dict(message.headers)
    assert (message.topic, decode_key(message.key or b"")) == (HEARTBEATS, ("acme", ""))
    assert (headers["source"], numbers([message])) == (b"lmgrd.log", [7])
    assert (headers[PROBLEM_HEADER], headers[CODE_HEADER]) == (b"no time stamp", b"unreadable_clock")
    assert len(message.value) == OVERSIZE_BYTES_KEPT


def test_a_denial_goes_to_its_topic_with_the_key_of_its_account() -> None:
    denial = Denial("acme", "id", "denied", AT, "MSTN", "jana", "ws", "none free", "lmgrd.log", 3)
    assert denial_message(denial) == Outgoing(DENIALS, encode_key("acme"), denial_messages.encode(denial))
