"""The latest usage of a partition, packed: seat rows in compressed pieces, and behind them what was heard since.

A row takes 120 bytes and its names, a packed one 37 with them (random session ids, zstd 1), for 0.4 us there and back.
Nobody reads most accounts, so all rows are packed but the few thousand heard last. Those are folded into a piece when
they are many, together with the pieces before it that are at most twice as large. So every piece is more than twice as
large as the next, a row is folded again only when the piece around it has grown by half, and a session that is heard of
every minute soon has one row again. Folding takes about 1 us a row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.codec.columns.seat_rows import SEAT_ROWS, of_latest_days
from pipeline.codec.columns.usage_rows import folded

HEARD_ROWS: Final = 4_096
HEARD_TABLES: Final = 64
"""So many rows or tables that were heard are folded and packed."""
ROWS_AT_ONCE_MAX: Final = 10_000
"""More rows are folded in a thread: the event loop also serves the roles that bill."""
_READ: Final = pa.ipc.IpcReadOptions(use_threads=False)
_WRITE: Final = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1), use_threads=False)


class Packed(NamedTuple):
    """Seat rows as a compressed Arrow stream: how many, and of which accounts."""

    rows: int
    accounts: frozenset[str]
    stream: pa.Buffer

    def unpacked(self) -> pa.Table:
        """The rows."""
        with pa.ipc.open_stream(self.stream, options=_READ) as stream:
            return stream.read_all()


class HeldUsage:
    """Seat rows of a partition (``codec/columns/seat_rows.py``). Tables never change: read them at any time."""

    def __init__(self) -> None:
        self._pieces: list[Packed] = []
        self._heard: list[pa.Table] = []

    def hear(self, rows: pa.Table) -> None:
        """Take in rows."""
        if rows.num_rows:
            self._heard.append(rows)

    def hold(self, piece: Packed) -> None:
        """Take in many rows."""
        if piece.rows:
            self._pieces.append(piece)

    def of_account(self, account: str) -> pa.Table:
        """All rows of an account, not folded."""
        tables = [piece.unpacked() for piece in self._pieces if account in piece.accounts]
        return pa.concat_tables([_NO_ROWS, *(_of_account(table, account) for table in (*tables, *self._heard))])

    def accounts(self) -> frozenset[str]:
        """The accounts that rows name."""
        return frozenset().union(*(piece.accounts for piece in self._pieces), *map(_accounts, self._heard))

    async def fold_if_due(self, days: int) -> None:
        """Fold and pack what was heard if it is much. Drops what is before the last ``days`` days of each account.

        One call at a time: rows may be heard, and pieces held, meanwhile.
        """
        heard = list(self._heard)
        rows = sum(table.num_rows for table in heard)
        if rows < HEARD_ROWS and len(heard) < HEARD_TABLES:
            return
        first = end = len(self._pieces)
        while first and self._pieces[first - 1].rows <= 2 * rows:
            first -= 1
            rows += self._pieces[first].rows
        pieces = self._pieces[first:end]
        if rows <= ROWS_AT_ONCE_MAX:
            piece = _folded(pieces, heard, days)
        else:
            piece = await asyncio.to_thread(_folded, pieces, heard, days)
        self._pieces[first:end] = [piece]
        del self._heard[: len(heard)]


def packed(rows: pa.Table) -> Packed:
    """Rows, packed."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=_WRITE) as stream:
        stream.write_table(rows.unify_dictionaries().combine_chunks())
    return Packed(rows.num_rows, _accounts(rows), sink.getvalue())


def _folded(pieces: Sequence[Packed], heard: Sequence[pa.Table], days: int) -> Packed:
    return packed(of_latest_days(folded(pa.concat_tables([*(piece.unpacked() for piece in pieces), *heard])), days))


def _accounts(rows: pa.Table) -> frozenset[str]:
    return frozenset(rows["account"].unique().to_pylist())


def _of_account(rows: pa.Table, account: str) -> pa.Table:
    """By number: to compare each row's text would cost fifty times as much."""
    parts = []
    for batch in rows.to_batches():
        number = pc.index(batch["account"].dictionary, account).as_py()
        if number >= 0:
            parts.append(batch.filter(pc.equal(batch["account"].indices, number)))
    return pa.Table.from_batches(parts, rows.schema)


_NO_ROWS: Final = SEAT_ROWS.empty_table()
