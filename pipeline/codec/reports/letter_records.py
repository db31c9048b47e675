"""Dead letters for people and programs. Anybody may have written them: a terminal gets no control character."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap
from typing import Final, Literal, TypedDict

from pipeline.codec.json_text import NotJson, indented_json, parse_json
from pipeline.codec.topics.dead_letter_messages import DeadLetter, encode
from pipeline.codec.topics.letter_ids import LetterId, id_of, write_id
from pipeline.model.instants import iso

RAW_COLUMNS: Final = 76
"""Characters in a line of bytes."""

RawForm = Literal["hex", "base64"]
"""How bytes are shown."""


@dataclass(frozen=True, slots=True)
class ListedLetter:
    """A dead letter in a list: without the member or the bytes it holds."""

    place: LetterId
    account: str
    code: str
    field: str
    detail: str
    received_at: int
    source: str
    line: int


class LetterRecord(TypedDict):
    """A listed dead letter in the form that programs read."""

    id: str
    account: str
    code: str
    field: str
    detail: str
    received_at: str
    source: str
    line: int


def letter_record(letter: ListedLetter) -> LetterRecord:
    """A listed dead letter as a record."""
    return {
        "id": write_id(letter.place),
        "account": letter.account,
        "code": letter.code,
        "field": letter.field,
        "detail": letter.detail,
        "received_at": iso(letter.received_at),
        "source": letter.source,
        "line": letter.line,
    }


def printable(text: str) -> str:
    """A text that moves no cursor: what is not printable becomes ``\\uXXXX``, which in JSON means the same."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def printable_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(printable(line) for line in text.split("\n"))


def place_in_file(source: str, line: int) -> str:
    """``file:line`` of a dead letter that came from a file, else ``''``."""
    return f"{source}:{line}" if source and line else source


def letter_text(letter: DeadLetter, form: RawForm) -> Iterator[str]:
    """Everything about a dead letter, line by line; the member last, or the bytes where it could not be parsed."""
    rows = (
        ("id", write_id(id_of(letter))),
        ("account", letter.account or "(none named)"),
        ("code", letter.code),
        ("field", letter.field or "(the whole)"),
        ("detail", letter.detail),
        ("received", iso(letter.received_at)),
        ("from", place_in_file(letter.source, letter.line) or "(no file)"),
    )
    yield from (f"{name:<9} {printable(value)}" for name, value in rows)
    if letter.member is not None:
        yield "member"
        yield printable_lines(_indented(letter.member))
    else:
        yield f"raw       {len(letter.raw):,} bytes, {form}"
        yield from wrap(letter.raw.hex() if form == "hex" else base64.b64encode(letter.raw).decode(), RAW_COLUMNS)


def letter_json(letter: DeadLetter) -> str:
    """A dead letter as its message, indented."""
    return printable_lines(_indented(encode(letter).decode("utf-8")))


def _indented(text: str) -> str:
    """JSON over several lines; as it is where it is nested too deeply to be written so."""
    try:
        return indented_json(parse_json(text)).decode("utf-8").removesuffix("\n")
    except (TypeError, NotJson):
        return text
