"""The token ledger in the store: every posting with its place in the log, void ones too."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final, NamedTuple, cast

import pyarrow as pa

from pipeline.codec.json_text import Json, json_bytes, parse_json
from pipeline.codec.topics.ledger_messages import entry_kind, fact_record, read_fact
from pipeline.model.ledger_entries import Credit, Debit, Entry, EntryFact, Expiry, Grant, Posting
from pipeline.store.arrow_inserts import INSTANT, insert_rows
from pipeline.store.client import Client

_LEDGER_LOG: Final = pa.schema(
    {
        "account": pa.string(), "log": pa.string(), "partition": pa.uint32(), "offset": pa.uint64(),
        "index": pa.uint32(), "sequence": pa.uint64(), "id": pa.string(), "at": INSTANT, "kind": pa.string(),
        "team": pa.string(), "product": pa.string(), "country": pa.string(), "user": pa.string(), "end_at": INSTANT,
        "tokens": pa.uint64(), "uncovered": pa.uint64(), "fact": pa.string(),
    }
)  # fmt: skip


class PlacedPosting(NamedTuple):
    """A posting and its place in the log; the log's name orders before the offset."""

    log: str
    partition: int
    offset: int
    posting: Posting


def write_postings(client: Client, placed: Iterable[PlacedPosting]) -> None:
    """Keep postings; one that is kept already is replaced by itself."""
    rows = (
        (
            stored.posting.account, stored.log, stored.partition, stored.offset, index, stored.posting.sequence,
            entry.id, entry.at, entry_kind(entry.fact), *_columns(entry.fact),
            json_bytes(fact_record(entry.fact)).decode(),
        )
        for stored in placed
        for index, entry in enumerate(stored.posting.entries)
    )  # fmt: skip
    insert_rows(client, "ledger_log", _LEDGER_LOG, rows)


def _columns(fact: EntryFact) -> tuple[str, str, str, str, int, int, int]:
    """Team, product, country, user, the window's end, tokens and uncovered, as far as an entry has them."""
    match fact:
        case Debit(team=team, window=window):
            return team, window.product, window.country, window.user, window.end_at, fact.tokens, fact.uncovered
        case Grant(team=team, tokens=tokens) | Expiry(team=team, tokens=tokens):
            return team, "", "", "", 0, tokens, 0
        case Credit(team=team, parts=parts):
            return team, "", "", "", 0, sum(part.tokens for part in parts), 0
        case _:
            return "", "", "", "", 0, 0, 0


def read_postings(client: Client, account: str) -> list[Posting]:
    """The postings of an account's log in log order, void ones too."""
    rows = cast(
        list[tuple[str, int, int, int, str, int, str, str]],
        client.query(
            "SELECT log, partition, offset, sequence, id, toUnixTimestamp64Milli(at), kind, fact FROM ledger_log FINAL "
            "WHERE account = {account:String} ORDER BY log, partition, offset, `index`",
            {"account": account},
        ).result_rows,
    )
    return [
        Posting(
            account,
            place[3],
            tuple(Entry(id_, at, _read_fact(kind, fact)) for *_, id_, at, kind, fact in entries),
        )
        for place, entries in groupby(rows, key=lambda row: row[:4])
    ]


def accounts_with_ledger(client: Client) -> set[str]:
    """The accounts that have a posting."""
    return {str(account) for (account,) in client.query("SELECT DISTINCT account FROM ledger_log").result_rows}


def _read_fact(kind: str, text: str) -> EntryFact:
    return read_fact(kind, cast(dict[str, Json], parse_json(text)))
