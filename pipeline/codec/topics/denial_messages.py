"""Denials: launches a licence server refused or put off, kept under a deterministic id.

Their machine-readable form is ``schemas/events/denial.v1.schema.json``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal, cast, get_args

import orjson

VERSION: Final = 1

Kind = Literal["denied", "unsupported", "queued", "dequeued"]
_KINDS: Final = frozenset(get_args(Kind))


@dataclass(frozen=True, slots=True)
class Denial:
    """A launch that was refused, or that waited for a licence.

    ``id`` is made from what the log says of it: the same line read again is the same denial.
    """

    account: str
    id: str
    kind: Kind
    at: int
    feature: str
    user: str
    machine: str
    detail: str
    source: str
    line: int


def encode(denial: Denial) -> bytes:
    """A denial as its message."""
    return orjson.dumps({"v": VERSION, **asdict(denial)})


def decode(value: bytes) -> Denial:
    """Read a denial's message. Raises ``ValueError`` for what no importer wrote."""
    try:
        record = cast(dict[str, object], orjson.loads(value))
        if record.pop("v") != VERSION:
            raise ValueError("unknown version of the denial format")
        if record.get("kind") not in _KINDS:
            raise ValueError("unknown kind of denial")
        return Denial(**record)  # type: ignore[arg-type]  # our own encoder's fields; a stranger's raise TypeError
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a denial: {error!r}") from error
