"""Files into the broker: messages are made in a thread of their own while earlier ones are written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from pipeline.codec.flexnet.log_lines import BrokenLine
from pipeline.codec.topics import denial_messages
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.message_keys import encode_key
from pipeline.embedded.framing import OVERSIZE_BYTES_KEPT, Framer, source_headers
from pipeline.kafka.headers import CODE_HEADER, PROBLEM_HEADER
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import DENIALS, HEARTBEATS

WRITE_BYTES: Final = 4 * 1024 * 1024
"""Of messages that are written together: a full batch for each of four partitions."""


async def import_heartbeats(
    messages: Iterator[Outgoing], framer: Framer, producer: Producer, progress: Callable[[int], None]
) -> int:
    """Write the framer's messages and return how many lines they hold; ``progress`` gets the number so far."""
    before = framer.lines
    written: asyncio.Task[None] | None = None
    try:
        while batch := await asyncio.to_thread(_batch, messages):
            if written is not None:
                await written
            written = asyncio.create_task(producer.write(batch))
            progress(framer.lines - before)
        if written is not None:
            await written
    finally:
        if written is not None:
            written.cancel()
    progress(framer.lines - before)
    return framer.lines - before


def _batch(messages: Iterator[Outgoing]) -> list[Outgoing]:
    batch, size = [], 0
    for message in messages:
        batch.append(message)
        size += len(message.value)
        if size >= WRITE_BYTES:
            break
    return batch


async def import_broken(broken: Iterable[BrokenLine], producer: Producer, account: str) -> None:
    """Write lines that a reader could not parse, each alone and unchanged, with code and problem in headers."""
    await producer.write(
        Outgoing(
            HEARTBEATS,
            encode_key(account, ""),
            line.raw[:OVERSIZE_BYTES_KEPT],
            (
                *source_headers(line.source, [line.line]),
                (PROBLEM_HEADER, line.reason.encode("utf-8")),
                (CODE_HEADER, line.code.encode("utf-8")),
            ),
        )
        for line in broken
    )


def denial_message(denial: Denial) -> Outgoing:
    """A denial of a licence server's log as a message."""
    return Outgoing(DENIALS, encode_key(denial.account), denial_messages.encode(denial))
