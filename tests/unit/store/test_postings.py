"""The token ledger in the store: a round trip, and void postings are ignored."""

from __future__ import annotations

from pathlib import Path

from pipeline.codec.topics.ledger_messages import decode
from pipeline.model.ledger_entries import Entry, Grant, Posting, Settled
from pipeline.rules.tokens.ledger import read_ledger
from pipeline.rules.tokens.pack_order import expires_at
from pipeline.store.client import Client
from pipeline.store.postings import PlacedPosting, read_postings, write_postings
from tests.support.evidence.schema_examples import examples
from tests.support.store.empty_stores import new_account

BOUGHT_AT = 1_641_772_800_000


def grant(pack: str, tokens: int) -> Entry:
    fact = Grant("default", pack, "", tokens, BOUGHT_AT, expires_at(BOUGHT_AT), None)
    return Entry(f"id-{pack}", BOUGHT_AT, fact)


def view(store: Client, account: str) -> list[tuple[object, ...]]:
    rows = store.query(
        "SELECT sequence, `index`, id, tokens FROM ledger WHERE account = {account:String} ORDER BY sequence, `index`",
        {"account": account},
    ).result_rows
    return [tuple(row) for row in rows]


def test_postings_of_every_kind_survive_a_round_trip(store: Client) -> None:
    account = new_account()
    written = [decode(path.read_bytes()) for path in sorted(examples("ledger-entry", "valid"), key=_sequence)]
    postings = [Posting(account, outgoing.sequence, outgoing.entries) for outgoing in written]
    for _ in range(2):
        write_postings(store, [PlacedPosting("main", 0, offset, posting) for offset, posting in enumerate(postings)])
    assert read_postings(store, account) == postings
    assert [row[0] for row in view(store, account)] == [1, 1, 2, 2, 2, 3]


def test_the_first_posting_in_the_log_counts_for_the_view_and_for_the_rules(store: Client) -> None:
    account = new_account()
    first = Posting(account, 1, (grant("P1", 500),))
    zombie = Posting(account, 1, (grant("P2", 10), grant("P3", 20)))
    second = Posting(account, 2, (grant("P4", 40), Entry("id-s", 7, Settled(7))))
    write_postings(
        store,
        [
            PlacedPosting("main", 0, 12, second),
            PlacedPosting("main", 0, 11, zombie),
            PlacedPosting("main", 0, 10, first),
        ],
    )
    assert view(store, account) == [(1, 0, "id-P1", 500), (2, 0, "id-P4", 40), (2, 1, "id-s", 0)]
    ledger = read_ledger(account, read_postings(store, account))
    assert [*ledger.entries] == ["id-P1", "id-P4", "id-s"]
    assert ledger.teams["default"].balance == 540


def test_each_account_has_its_own_ledger(store: Client) -> None:
    account, other = new_account(), new_account()
    write_postings(store, [PlacedPosting("main", 0, 1, Posting(account, 1, (grant("P1", 500),)))])
    assert read_postings(store, other) == []
    assert read_ledger(other, read_postings(store, other)).entries == {}


def _sequence(path: Path) -> int:
    return decode(path.read_bytes()).sequence


def test_a_posting_without_its_predecessor_is_void_and_the_next_of_its_number_counts(store: Client) -> None:
    account = new_account()
    numbered = [(2, "early"), (1, "first"), (3, "ahead"), (2, "second"), (2, "stale"), (3, "third")]
    write_postings(
        store,
        [PlacedPosting("main", 0, offset, Posting(account, number, (grant(name, 5),)))
         for offset, (number, name) in enumerate(numbered)],
    )  # fmt: skip
    assert [row[2] for row in view(store, account)] == ["id-first", "id-second", "id-third"]
    assert [*read_ledger(account, read_postings(store, account)).entries] == ["id-first", "id-second", "id-third"]
