"""The view `ledger` and the rules agree on any log: with gaps, duplicates, stale postings and several logs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.ledger_entries import Entry, Posting, Settled
from pipeline.rules.tokens.ledger import read_ledger
from pipeline.store.client import Client
from pipeline.store.postings import PlacedPosting, read_postings, write_postings
from tests.support.laws import examples
from tests.support.store.empty_stores import new_account

pytestmark = pytest.mark.slow

places = st.tuples(st.sampled_from(("log-1", "log-2")), st.integers(0, 1), st.integers(0, 12))
"""Logs in order of their names, partitions and offsets: few, so that places lie close together."""


@settings(max_examples=examples(60))
@given(numbers=st.dictionaries(places, st.integers(1, 5), max_size=14), sizes=st.lists(st.integers(1, 3), min_size=14))
def test_the_view_has_the_valid_entries_of_the_rules(
    store: Client, numbers: dict[tuple[str, int, int], int], sizes: list[int]
) -> None:
    account = new_account()
    placed = [
        PlacedPosting(*place, Posting(account, number, tuple(_entry(f"{place}-{index}") for index in range(size))))
        for (place, number), size in zip(numbers.items(), sizes, strict=False)
    ]
    write_postings(store, placed)
    write_postings(store, placed[::2])
    rows = store.query(
        "SELECT id FROM ledger WHERE account = {account:String} ORDER BY sequence, `index`", {"account": account}
    ).result_rows
    assert [id_ for (id_,) in rows] == [*read_ledger(account, read_postings(store, account)).entries]


def _entry(id_: str) -> Entry:
    return Entry(id_, 7, Settled(7))
