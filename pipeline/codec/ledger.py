"""Postings on the ``token-ledger`` topic (``schemas/events/ledger-entry.v1.schema.json``)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final, cast

import orjson

from pipeline.model.ledger import KINDS, Entry, Fact, Part, Posting, Window

VERSION: Final = 1
Record = dict[str, object]
_KIND_OF: Final = {kind: name for name, kind in KINDS.items()}


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
            "entries": [
                {"id": one.id, "at": one.at, "kind": kind_of(one.fact), **fact_record(one.fact)}
                for one in posting.entries
            ],
        }
    )


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
    return Entry(id_, at, read_fact(kind, record))
