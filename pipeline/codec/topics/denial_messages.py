"""Denials: launches a licence server refused or put off, kept under a deterministic id.

Their machine-readable form is ``schemas/events/denial.v1.schema.json``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal, get_args

from pipeline.codec.json_fields import JsonFields
from pipeline.codec.json_text import json_bytes

VERSION: Final = 1

DenialKind = Literal["denied", "unsupported", "queued", "dequeued"]
"""``unsupported``: the licence server does not have the feature; ``queued`` and ``dequeued``: waited for a licence."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A launch that was refused, or that waited for a licence.

    ``id`` is made from what the log says of it: the same line read again is the same denial.
    """

    account: str
    id: str
    kind: DenialKind
    at: int
    feature: str
    user: str
    machine: str
    detail: str
    source: str
    line: int


def encode(denial: Denial) -> bytes:
    """A denial as its message."""
    return json_bytes({"v": VERSION, **asdict(denial)})


def decode(value: bytes) -> Denial:
    """Read a denial's message. Raises ``MessageInvalid`` for what no importer wrote."""
    message = JsonFields.of_message(value)
    message.check_version(VERSION)
    kinds: tuple[DenialKind, ...] = get_args(DenialKind)
    denial = Denial(
        account=message.any_text("account"),
        id=message.any_text("id"),
        kind=message.choice("kind", kinds) or "denied",
        at=message.whole("at", least=None),
        feature=message.any_text("feature"),
        user=message.any_text("user"),
        machine=message.any_text("machine"),
        detail=message.any_text("detail"),
        source=message.any_text("source"),
        line=message.whole("line", least=None),
    )
    message.nothing_else("denial")
    message.raise_mistakes()
    return denial
