"""Denials: launches a licence server refused, kept under a deterministic id.

Their machine-readable form is ``schemas/events/denial.v1.schema.json``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal, cast

import orjson

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Denial:
    """One refused launch. ``id`` is made from what the log says of it: the same line read again is the same denial."""

    account: str
    id: str
    kind: Literal["denied", "unsupported"]
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
        return Denial(**record)  # type: ignore[arg-type]  # our own encoder's fields; a stranger's raise TypeError
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a denial: {error!r}") from error
