"""Dead letters: evidence that could not be used, kept whole with a stable code.

Their machine-readable form is ``schemas/events/dead-letter.v1.schema.json``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final, TypedDict, cast

import orjson

from pipeline.codec.json_text import json_bytes
from pipeline.codec.topics.heartbeats import InvalidMember

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One invalid member. Its identity is where it stood: log, topic, partition, offset and index in the frame.

    ``account`` is the one it or its key names, ``''`` if none. ``member`` is its JSON text where it could be
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


class _Id(TypedDict):
    log: str
    topic: str
    partition: int
    offset: int
    index: int


class _Record(TypedDict):
    v: int
    id: _Id
    account: str
    code: str
    field: str
    detail: str
    member: str | None
    raw: str | None
    received_at: int
    source: str
    line: int


def member_text(invalid: InvalidMember) -> tuple[str | None, bytes]:
    """The member as JSON text, or the bytes of the whole value where it could not be parsed."""
    if isinstance(invalid.member, bytes):
        return None, invalid.member
    return json_bytes(invalid.member).decode("utf-8"), b""


def encode(letter: DeadLetter) -> bytes:
    """A dead letter as its message."""
    record: _Record = {
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
    return orjson.dumps(record)


def decode(value: bytes) -> DeadLetter:
    """Read a dead letter's message. Raises ``ValueError`` for what no meter wrote."""
    try:
        record = cast(_Record, orjson.loads(value))
        if record["v"] != VERSION:
            raise ValueError(f"version {record['v']} of the dead-letter format is not one this program reads (1)")
        return DeadLetter(
            **record["id"],
            account=record["account"],
            code=record["code"],
            field=record["field"],
            detail=record["detail"],
            member=record["member"],
            raw=base64.b64decode(record["raw"] or ""),
            received_at=record["received_at"],
            source=record["source"],
            line=record["line"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a dead letter: {error!r}") from error
