"""A dead letter that was replayed and still cannot be used: it stays the letter it was, so that it is counted once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from pipeline.agents.consuming import Message
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.letter_ids import read_id
from pipeline.kafka.headers import RECEIVED_HEADER, REPLAYS_HEADER
from pipeline.model.instants import EARLIEST_AT, LATEST_AT


def at_first_place(letter: DeadLetter, message: Message) -> DeadLetter:
    """The letter of a replay at the place, and received at the instant, of the letter that it replays.

    A letter of a whole message may have become several: what its members are now, each at its index in the frame. Any
    other letter is returned as it is, and so is that of a message whose header names no place.
    """
    replays, received = message.header(REPLAYS_HEADER), message.header(RECEIVED_HEADER)
    if replays is None:
        return letter
    with suppress(ValueError):  # a header that no replay wrote; of UnicodeDecodeError, too
        first = read_id(replays.decode("ascii"))
        return replace(
            letter,
            log=first.log,
            topic=first.topic,
            partition=first.partition,
            offset=first.offset,
            index=first.index + letter.index,
            received_at=_instant(received, letter.received_at),
        )
    return letter


def _instant(header: bytes | None, otherwise: int) -> int:
    text = (header or b"").decode("ascii", "replace")
    at = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LATEST_AT)) else otherwise
    return at if EARLIEST_AT <= at <= LATEST_AT else otherwise
