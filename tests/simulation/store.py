"""The store as a dictionary: rows under their sorting key, merged column by column as ClickHouse merges them.

It shares no code with the pipeline. A test compares the model with the table definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

import pyarrow as pa

Cell = Any
"""What a column may hold: a text, a number, bytes, a set of slots, a map."""
Row = dict[str, Cell]
Merge = Callable[[Cell, Cell], Cell]


def union(old: Cell, new: Cell) -> Cell:
    return old | new


def largest_per_key(old: Cell, new: Cell) -> Cell:
    return old | {key: value for key, value in new.items() if key not in old or value > old[key]}


_SESSION: Final = ("account", "product", "country", "usage", "machine", "user", "session")
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "usage_days": ("account", "product", "country", "usage", "day", "machine", "user", "session"),
    "session_closes": _SESSION,
    "deliveries": ("account", "log", "topic", "partition", "block"),
    "dead_letters": ("account", "log", "topic", "partition", "offset", "index"),
}
MERGES: Final[Mapping[str, Mapping[str, Merge]]] = {
    "usage_days": {
        "opened_at": min,
        "last_at": max,
        "used_slots": union,
        "stretches": largest_per_key,
        "version": max,
        "received_min_at": min,
        "received_max_at": max,
    },
    "session_closes": {"closed_at": max},
    "deliveries": {"heartbeats": largest_per_key},
    "dead_letters": {},
}
"""How each column beyond the key merges; the columns of a table without any are replaced by the latest row's."""


class StoreModel:
    """Tables of merged rows."""

    merges: ClassVar[Mapping[str, Mapping[str, Merge]]] = MERGES

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple[Cell, ...], Row]] = {table: {} for table in KEYS}

    def insert(self, table: str, rows: Iterable[Row]) -> None:
        """Merge rows into a table at once, as a query with ``FINAL`` returns them."""
        stored, merges = self.tables[table], self.merges[table]
        for row in rows:
            key = tuple(row[column] for column in KEYS[table])
            merged = stored.get(key)
            if merged is None or not merges:
                stored[key] = dict(row)
                continue
            for column, merge in merges.items():
                merged[column] = merge(merged[column], row[column])


class Inserts:
    """Replaces the store's client and collects the inserts, table by table, in order."""

    def __init__(self) -> None:
        self.gathered: list[tuple[str, list[Row]]] = []

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> None:
        columns = {name: _cells(arrow_table.column(name)) for name in arrow_table.column_names}
        self.gathered.append(
            (table, [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])
        )

    def command(self, cmd: str, parameters: object = None) -> object:
        raise NotImplementedError

    def query(self, query: str, parameters: object = None) -> Any:
        raise NotImplementedError

    def query_arrow(self, query: str, parameters: object = None) -> pa.Table:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def _cells(column: pa.ChunkedArray) -> list[Cell]:
    if pa.types.is_timestamp(column.type):
        return list(column.cast(pa.int64()).to_pylist())
    if pa.types.is_map(column.type):
        return [dict(pairs) for pairs in column.to_pylist()]
    if pa.types.is_list(column.type):
        return [frozenset(elements) for elements in column.to_pylist()]
    return list(column.to_pylist())
