"""Files of messages for scenario processes, and session days in their output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import orjson

from pipeline.model.evidence import SessionDay, SessionKey

Record = dict[str, object]
Carried = tuple[bytes | None, bytes | None]
"""The key and the value of a message."""


def encode_messages(messages: Iterable[Carried]) -> bytes:
    """Messages as a file that a scenario plays."""
    return b"".join(
        orjson.dumps([part.hex() if part is not None else None for part in message]) + b"\n" for message in messages
    )


def encode_day(day: SessionDay) -> Record:
    """A session day as JSON."""
    return {**asdict(day), "session": list(day.session), "used_slots": f"{day.used_slots:x}"} | {
        "stretches": sorted(day.stretches.items())
    }


def decode_day(record: Record) -> SessionDay:
    """A session day from JSON."""
    fields: dict[str, object] = dict(record)
    session, slots, stretches = fields.pop("session"), fields.pop("used_slots"), fields.pop("stretches")
    assert isinstance(session, list)
    assert isinstance(slots, str)
    assert isinstance(stretches, list)
    return SessionDay(
        session=SessionKey(*session),
        used_slots=int(slots, 16),
        stretches=dict(stretches),
        **fields,  # type: ignore[arg-type]  # values of other fields are JSON as written by encode_day
    )


def read_messages(path: Path) -> list[Carried]:
    """The messages of a file that ``encode_messages`` wrote."""
    return [
        (None if key is None else bytes.fromhex(key), None if value is None else bytes.fromhex(value))
        for key, value in map(orjson.loads, path.read_bytes().splitlines())
    ]
