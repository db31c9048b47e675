"""Postings as messages: a round trip, and refusals of foreign messages."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest

from pipeline.codec.topics.ledger_messages import PostingEncoder, UnreadablePosting, decode, encode
from pipeline.model.ledger_entries import Debit, Entry, Part, Window
from pipeline.rules.tokens.drafts import POSTING_BYTES_MAX, postings
from pipeline.rules.tokens.ledger import Ledger
from tests.support.evidence.schema_examples import examples

AT = 1_651_568_460_000
SETTLEMENT: dict[str, Any] = orjson.loads(
    next(path for path in examples("ledger-entry", "valid") if path.stem == "settlement").read_bytes()
)


def debit(user: str, number: int) -> Entry:
    window = Window("ACD", "CZ", user, AT + number, AT + number + 1, 7, "autodesk-flex@2021-09-24")
    return Entry(f"{number:032}", AT + number, Debit("default", window, (Part("P" * 200, 7),), 0))


def test_a_posting_survives_a_round_trip() -> None:
    posting = decode(orjson.dumps(SETTLEMENT))
    assert decode(encode(posting)) == posting


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((0, "at"), -1),
        ((0, "at"), 2**60),
        ((0, "team"), 7),
        ((0, "uncovered"), -1),
        ((0, "uncovered"), True),
        ((0, "uncovered"), 1.5),
        ((0, "window", "user"), None),
        ((0, "window", "rate"), "7"),
        ((0, "parts", 0, "tokens"), 2**63),
        ((2, "until_at"), None),
    ],
)
def test_an_entry_with_a_value_of_another_type_is_refused(place: tuple[Any, ...], value: object) -> None:
    record = copy.deepcopy(SETTLEMENT)
    inner: Any = record["entries"]
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(UnreadablePosting):
        decode(orjson.dumps(record))


def test_long_names_reduce_the_entries_of_a_posting_so_that_it_fits_into_a_message() -> None:
    entries = [debit("\N{GRINNING FACE}" * 200, number) for number in range(1_000)]
    encoder = PostingEncoder()
    made = postings(Ledger("acme"), entries, bytes_of=encoder.entry_bytes)
    assert [posting.sequence for posting in made] == [*range(1, len(made) + 1)]
    assert [entry for posting in made for entry in posting.entries] == entries
    assert [encode(posting) for posting in made] == [encoder.encode(posting) for posting in made]
    assert max(len(encode(posting)) for posting in made) < POSTING_BYTES_MAX + 1_000
    assert len(made) > 1
