"""Dead letters: invalid evidence, kept whole with a stable code.

Their machine-readable form is ``schemas/events/dead-letter.v1.schema.json``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

from pipeline.codec.json_fields import JsonFields
from pipeline.codec.json_text import json_bytes
from pipeline.codec.topics.heartbeats import InvalidMember

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An invalid member. Its identity is where it stood: log, topic, partition, offset and index in the frame.

    ``account`` is what it or its key names, ``''`` if neither does. ``member`` is its JSON text where it could be
    parsed, else ``None`` and ``raw`` holds the bytes. ``source`` and ``line`` name the place in an imported file, else
    they are ``''`` and 0.
    """

    log: str
    topic: str
    partition: int
    offset: int
    index: int
    account: str
    code: str
    field: str
    detail: str
    member: str | None
    raw: bytes
    received_at: int
    source: str
    line: int


def member_text(invalid: InvalidMember) -> tuple[str | None, bytes]:
    """The member as JSON text; else ``None`` and the bytes of the whole value, which could not be parsed."""
    if isinstance(invalid.member, bytes):
        return None, invalid.member
    return json_bytes(invalid.member).decode("utf-8"), b""


def encode(letter: DeadLetter) -> bytes:
    """A dead letter as its message."""
    record = {
        "v": VERSION,
        "id": {
            "log": letter.log,
            "topic": letter.topic,
            "partition": letter.partition,
            "offset": letter.offset,
            "index": letter.index,
        },
        "account": letter.account,
        "code": letter.code,
        "field": letter.field,
        "detail": letter.detail,
        "member": letter.member,
        "raw": None if letter.member is not None else base64.b64encode(letter.raw).decode("ascii"),
        "received_at": letter.received_at,
        "source": letter.source,
        "line": letter.line,
    }
    return json_bytes(record)


def decode(value: bytes) -> DeadLetter:
    """Read a dead letter's message. Raises ``ValueError`` for what no meter wrote."""
    message = JsonFields.of_message(value)
    message.check_version(VERSION)
    place = message.object("id")
    letter = DeadLetter(
        log=place.any_text("log"),
        topic=place.any_text("topic"),
        partition=place.whole("partition", least=None),
        offset=place.whole("offset", least=None),
        index=place.whole("index", least=None),
        account=message.any_text("account"),
        code=message.any_text("code"),
        field=message.any_text("field"),
        detail=message.any_text("detail"),
        member=message.any_text("member") if message.has("member") else None,
        raw=base64.b64decode(message.any_text("raw")) if message.has("raw") else b"",
        received_at=message.whole("received_at", least=None),
        source=message.any_text("source"),
        line=message.whole("line", least=None),
    )
    place.nothing_else("id")
    message.raise_mistakes()
    return letter
