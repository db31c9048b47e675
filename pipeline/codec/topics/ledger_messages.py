"""Postings on the ``token-ledger`` topic (``schemas/events/ledger-entry.v1.schema.json``)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Final, cast, get_type_hints

import orjson

from pipeline.codec.json_fields import JsonFields, MessageInvalid
from pipeline.codec.json_text import Json, json_bytes
from pipeline.model.instants import DAY_MS, LATEST_AT
from pipeline.model.ledger_entries import ENTRY_KINDS, Credit, Debit, Entry, EntryFact, Part, Posting, Window

VERSION: Final = 1
_KIND_OF: Final = {type_: kind for kind, type_ in ENTRY_KINDS.items()}
_FIELDS: Final = {type_: tuple(field.name for field in fields(type_)) for type_ in ENTRY_KINDS.values()}
_WHOLE_MAX: Final = 2**62
_INSTANT_MAX: Final = LATEST_AT + 366 * DAY_MS
"""A pack that is bought on the last day expires a year later."""


class UnreadablePosting(MessageInvalid):
    """A message on ``token-ledger`` that Seatbeat did not write, with every mistake in it."""


def entry_kind(fact: EntryFact) -> str:
    """The name of a kind of entry in its message."""
    return _KIND_OF[type(fact)]


class PostingEncoder:
    """Writes postings. An entry that was measured is kept as text until its posting is written: it is written once."""

    def __init__(self) -> None:
        self._written: dict[str, bytes] = {}

    def entry_bytes(self, entry: Entry) -> int:
        """How many bytes an entry takes in its posting, with the comma that follows."""
        written = self._written[entry.id] = _entry_json(entry)
        return len(written) + 1

    def encode(self, posting: Posting) -> bytes:
        """A posting as its message."""
        entries = [self._written.pop(entry.id, b"") or _entry_json(entry) for entry in posting.entries]
        return orjson.dumps(
            {
                "v": VERSION,
                "account": posting.account,
                "sequence": posting.sequence,
                "entries": [orjson.Fragment(entry) for entry in entries],
            }
        )


def encode(posting: Posting) -> bytes:
    """A posting as its message."""
    return PostingEncoder().encode(posting)


def decode(value: bytes) -> Posting:
    """Read a posting. Raises ``UnreadablePosting``."""
    message = JsonFields.of_message(value, UnreadablePosting)
    message.check_version(VERSION)
    account, sequence = message.any_text("account"), message.whole("sequence", least=1, most=_WHOLE_MAX)
    entries = tuple(_read_entry(entry) for entry in message.entries("entries"))
    message.raise_mistakes(UnreadablePosting)
    return Posting(account, sequence, tuple(entry for entry in entries if entry is not None))


def fact_record(fact: EntryFact) -> dict[str, object]:
    """What an entry says, as JSON has it."""
    record: dict[str, object] = {name: getattr(fact, name) for name in _FIELDS[type(fact)]}
    if isinstance(fact, Debit):
        record["window"] = fact.window._asdict()
    if isinstance(fact, Debit | Credit):
        record["parts"] = [part._asdict() for part in fact.parts]
    return record


def read_fact(kind: str, record: Mapping[str, Json]) -> EntryFact:
    """What an entry says, from its JSON. Raises ``UnreadablePosting``, and ``KeyError`` for an unknown kind."""
    message = JsonFields(record)
    fact = _read(ENTRY_KINDS[kind], message)
    message.raise_mistakes(UnreadablePosting)
    return cast(EntryFact, fact)


def _entry_json(entry: Entry) -> bytes:
    return json_bytes({"id": entry.id, "at": entry.at, "kind": entry_kind(entry.fact), **fact_record(entry.fact)})


def _read_entry(message: JsonFields) -> Entry | None:
    id_, at, kind = message.any_text("id"), _instant(message, "at"), message.choice("kind", ENTRY_KINDS)
    return None if kind is None else Entry(id_, at, cast(EntryFact, _read(ENTRY_KINDS[kind], message)))


def _read(type_: type, message: JsonFields) -> object:
    """A value of a type of ours. Every field is checked: the store would refuse a wrong value again and again."""
    values = [read(message, name) for name, read in _READERS[type_].items()]
    message.nothing_else(type_.__name__.lower())
    return type_(*values)


def _text(message: JsonFields, name: str) -> str:
    """A text. The same text stands in many entries and is kept once."""
    return sys.intern(message.any_text(name))


def _whole(message: JsonFields, name: str) -> int:
    return message.whole(name, most=_WHOLE_MAX)


def _whole_or_null(message: JsonFields, name: str) -> int | None:
    """A whole number, or a ``null`` that is stated."""
    if name not in message.values:
        message.mistake(name, "is missing", "Add it; null is none")
    value = message.whole(name, required=False, most=_WHOLE_MAX)
    return value if message.has(name) else None


def _instant(message: JsonFields, name: str) -> int:
    return message.whole(name, most=_INSTANT_MAX)


def _window(message: JsonFields, name: str) -> Window:
    return cast(Window, _read(Window, message.object(name)))


def _parts(message: JsonFields, name: str) -> tuple[Part, ...]:
    return tuple(cast(Part, _read(Part, part)) for part in message.entries(name, may_be_empty=True))


_READER_OF: Final[Mapping[object, Callable[[JsonFields, str], object]]] = {
    str: _text, int: _whole, int | None: _whole_or_null, Window: _window, tuple[Part, ...]: _parts
}  # fmt: skip
_READERS: Final[Mapping[type, Mapping[str, Callable[[JsonFields, str], object]]]] = {
    type_: {
        name: _instant if name.endswith("_at") else _READER_OF[hint] for name, hint in get_type_hints(type_).items()
    }
    for type_ in (*ENTRY_KINDS.values(), Window, Part)
}
"""How each field of an entry is read, in the order of the fields: a field that is added is read by its type."""
