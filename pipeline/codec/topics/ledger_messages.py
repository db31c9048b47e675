"""Postings on the ``token-ledger`` topic (``schemas/events/ledger-entry.v1.schema.json``)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Final, cast, get_type_hints

import orjson

from pipeline.model.instants import DAY_MS, LATEST_AT
from pipeline.model.ledger_entries import KINDS, Credit, Debit, Entry, Fact, Part, Posting, Window

VERSION: Final = 1
Record = dict[str, object]
_KIND_OF: Final = {kind: name for name, kind in KINDS.items()}
_FIELDS: Final = {kind: tuple(one.name for one in fields(kind)) for kind in KINDS.values()}
_WHOLE_MAX: Final = 2**62
_INSTANT_MAX: Final = LATEST_AT + 366 * DAY_MS
"""A pack that is bought on the last day expires a year later."""


class UnreadablePosting(ValueError):
    """A message on ``token-ledger`` that no part of Seatbeat wrote."""


def kind_of(fact: Fact) -> str:
    """The name of a kind of entry on the wire."""
    return _KIND_OF[type(fact)]


class Encoder:
    """Writes postings, each entry once: when it is measured, and kept until the posting that it is in is written."""

    def __init__(self) -> None:
        self._written: dict[str, bytes] = {}

    def entry_bytes(self, entry: Entry) -> int:
        """How many bytes an entry takes in its posting, with what separates it from the next."""
        written = self._written[entry.id] = _entry_json(entry)
        return len(written) + 1

    def encode(self, posting: Posting) -> bytes:
        """A posting as its message."""
        return orjson.dumps(
            {
                "v": VERSION,
                "account": posting.account,
                "sequence": posting.sequence,
                "entries": [
                    orjson.Fragment(self._written.pop(one.id, b"") or _entry_json(one)) for one in posting.entries
                ],
            }
        )


def encode(posting: Posting) -> bytes:
    """A posting as its message."""
    return Encoder().encode(posting)


def decode(value: bytes) -> Posting:
    """Read a posting. Raises ``UnreadablePosting``."""
    try:
        return _read_posting(cast(Record, orjson.loads(value)))
    except UnreadablePosting:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadablePosting(f"not a posting: {error!r}") from error


def fact_record(fact: Fact) -> Record:
    """What an entry says, as JSON has it."""
    record: Record = {name: getattr(fact, name) for name in _FIELDS[type(fact)]}
    if isinstance(fact, Debit):
        record["window"] = dict(zip(Window._fields, fact.window, strict=True))
    if isinstance(fact, Debit | Credit):
        record["parts"] = [dict(zip(Part._fields, part, strict=True)) for part in fact.parts]
    return record


def read_fact(kind: str, record: Record) -> Fact:
    """What an entry says, from its JSON. Raises ``UnreadablePosting``, ``KeyError`` or ``TypeError``."""
    return cast(Fact, _read(KINDS[kind], record))


def _entry_json(entry: Entry) -> bytes:
    return orjson.dumps({"id": entry.id, "at": entry.at, "kind": kind_of(entry.fact), **fact_record(entry.fact)})


def _read_posting(record: Record) -> Posting:
    if record["v"] != VERSION:
        raise UnreadablePosting(f"version {record['v']} of the ledger is not one this program reads (1)")
    account, sequence, entries = record["account"], record["sequence"], cast(list[Record], record["entries"])
    if not isinstance(account, str) or type(sequence) is not int or sequence < 1:
        raise UnreadablePosting("a posting has an account and a sequence number from 1 on")
    if not entries:
        raise UnreadablePosting("a posting has at least one entry")
    return Posting(account, sequence, tuple(_read_entry(one) for one in entries))


def _read_entry(record: Record) -> Entry:
    id_, at, kind = record.pop("id"), record.pop("at"), record.pop("kind")
    if not isinstance(id_, str) or not isinstance(kind, str):
        raise UnreadablePosting("an entry has an id, an instant and a kind")
    return Entry(id_, _instant("at", at), read_fact(kind, record))


def _read(type_: type, record: Record) -> object:
    """A value of one of our types: what nobody of us wrote must not reach the store, which would refuse it for ever."""
    readers = _READERS[type_]
    if len(record) != len(readers):  # what is missing in place of another is a KeyError
        raise UnreadablePosting(f"a {type_.__name__} has {', '.join(readers)}, not {', '.join(record)}")
    return type_(*[read(name, record[name]) for name, read in readers.items()])


def _text(name: str, value: object) -> str:
    """A text; the same one stands in many entries, and is kept once."""
    if type(value) is not str:
        raise UnreadablePosting(f"{name} is {value!r}, which is no text")
    return sys.intern(value)


def _whole(name: str, value: object, most: int = _WHOLE_MAX) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise UnreadablePosting(f"{name} is {value!r}, which is no whole number from 0 to {most}")
    return value


def _instant(name: str, value: object) -> int:
    return _whole(name, value, _INSTANT_MAX)


def _whole_or_none(name: str, value: object) -> int | None:
    return None if value is None else _whole(name, value)


def _window(_name: str, value: object) -> Window:
    return cast(Window, _read(Window, cast(Record, value)))


def _parts(_name: str, value: object) -> tuple[Part, ...]:
    return tuple(cast(Part, _read(Part, one)) for one in cast(list[Record], value))


_READER_OF: Final[Mapping[object, Callable[[str, object], object]]] = {
    str: _text, int: _whole, int | None: _whole_or_none, Window: _window, tuple[Part, ...]: _parts
}  # fmt: skip
_READERS: Final[Mapping[type, Mapping[str, Callable[[str, object], object]]]] = {
    type_: {
        name: _instant if name.endswith("_at") else _READER_OF[hint] for name, hint in get_type_hints(type_).items()
    }
    for type_ in (*KINDS.values(), Window, Part)
}
"""How each field of an entry is read, in the order of the fields."""
