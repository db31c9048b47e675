"""The ledger refuses postings out of sequence and entries that break its invariants."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model.ledger_entries import Entry, Expiry, Grant, Posting
from pipeline.rules.tokens.ledger import LedgerBroken, read_ledger
from tests.support.evidence.token_shorthand import log_of


def test_a_posting_whose_number_is_not_the_next_is_void_as_a_whole() -> None:
    first, second, third = log_of(3)[:3]
    stale = replace(second, entries=(*second.entries, *third.entries))
    assert read_ledger("acme", [first, second, stale, third]).entries == read_ledger("acme", log_of(3)[:3]).entries
    assert read_ledger("acme", [second, third]).entries == {}
    assert [*read_ledger("acme", [first, third, second]).entries] == [
        entry.id for posting in (first, second) for entry in posting.entries
    ]


@pytest.mark.parametrize(
    "broken",
    [
        Entry("x", 0, Expiry("default", "P", 501)),
        Entry("x", 0, Expiry("default", "Q", 1)),
        Entry("x", 0, Expiry("other", "P", 1)),
        Entry("x", 0, Grant("default", "P", "", 1, 1, 2, None)),
        Entry("x", 0, Grant("default", "Q", "", 0, 1, 2, None)),
    ],
)
def test_an_entry_that_breaks_an_invariant_of_the_ledger_raises(broken: Entry) -> None:
    ledger = read_ledger("acme", log_of(1))
    with pytest.raises(LedgerBroken):
        ledger.append(Posting("acme", ledger.sequence + 1, (broken,)))
