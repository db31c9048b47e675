"""Postings on the ``token-ledger`` topic (``schemas/events/ledger-entry.v1.schema.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final, cast, get_type_hints

import orjson

from pipeline.model.instants import DAY_MS, LATEST_AT
from pipeline.model.ledger import KINDS, Entry, Fact, Part, Posting, Window

VERSION: Final = 1
Record = dict[str, object]
_KIND_OF: Final = {kind: name for name, kind in KINDS.items()}
_TYPES: Final[Mapping[type, Mapping[str, object]]] = {
    each: get_type_hints(each) for each in (*KINDS.values(), Window, Part)
}
_WHOLE_MAX: Final = 2**62
_INSTANT_MAX: Final = LATEST_AT + 366 * DAY_MS
"""A pack that is bought on the last day expires a year later."""


class UnreadablePosting(ValueError):
    """A message on ``token-ledger`` that no part of Seatbeat wrote."""


def kind_of(fact: Fact) -> str:
    """The name of a kind of entry on the wire."""
    return _KIND_OF[type(fact)]


def encode(posting: Posting) -> bytes:
    """A posting as its message."""
    return orjson.dumps(
        {
            "v": VERSION,
            "account": posting.account,
            "sequence": posting.sequence,
            "entries": [_entry_record(one) for one in posting.entries],
        }
    )


def entry_bytes(entry: Entry) -> int:
    """How many bytes an entry takes in its posting, with what separates it from the next."""
    return len(orjson.dumps(_entry_record(entry))) + 1


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
    record = asdict(fact)
    if "window" in record:
        record["window"] = fact.window._asdict()  # type: ignore[union-attr]  # only debits have one
    if "parts" in record:
        record["parts"] = [part._asdict() for part in fact.parts]  # type: ignore[union-attr]  # debits and credits
    return record


def read_fact(kind: str, record: Record) -> Fact:
    """What an entry says, from its JSON. Raises ``TypeError`` or ``KeyError`` for what it does not know."""
    said = dict(record)
    if "window" in said:
        said["window"] = Window(**cast(dict[str, object], said["window"]))  # type: ignore[arg-type]  # our own fields
    if "parts" in said:
        said["parts"] = tuple(Part(**one) for one in cast(list[dict[str, object]], said["parts"]))  # type: ignore[arg-type]  # as above
    return KINDS[kind](**said)  # type: ignore[arg-type]  # as above; a stranger's raise TypeError


def _entry_record(entry: Entry) -> Record:
    return {"id": entry.id, "at": entry.at, "kind": kind_of(entry.fact), **fact_record(entry.fact)}


def _read_posting(record: Record) -> Posting:
    if record["v"] != VERSION:
        raise UnreadablePosting(f"version {record['v']} of the ledger is not one this program reads (1)")
    account, sequence = record["account"], record["sequence"]
    if not isinstance(account, str) or type(sequence) is not int or sequence < 1:
        raise UnreadablePosting("a posting has an account and a sequence number from 1 on")
    return Posting(account, sequence, tuple(_read_entry(one) for one in cast(list[Record], record["entries"])))


def _read_entry(record: Record) -> Entry:
    id_, at, kind = record.pop("id"), record.pop("at"), record.pop("kind")
    if not isinstance(id_, str) or type(at) is not int or not isinstance(kind, str):
        raise UnreadablePosting("an entry has an id, an instant and a kind")
    fact = read_fact(kind, record)
    _check_types(fact)
    _check_whole("at", at)
    return Entry(id_, at, fact)


def _check_types(said: object) -> None:
    """What nobody of us wrote must not reach the store, which would refuse it again and again."""
    for name, wanted in _TYPES[type(said)].items():
        value = getattr(said, name)
        if isinstance(value, Window):
            _check_types(value)
        elif isinstance(value, tuple):
            for part in value:
                _check_types(part)
        elif value is None and wanted == int | None:
            continue
        elif wanted is str and type(value) is not str:
            raise UnreadablePosting(f"{name} of a {type(said).__name__} is no text")
        elif wanted is not str:
            _check_whole(name, value)


def _check_whole(name: str, value: object) -> None:
    most = _INSTANT_MAX if name == "at" or name.endswith("_at") else _WHOLE_MAX
    if type(value) is not int or not 0 <= value <= most:
        raise UnreadablePosting(f"{name} is {value!r}, which is no whole number from 0 to {most}")
