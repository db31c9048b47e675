"""The latest usage of accounts as seat rows (``codec/columns/seat_rows.py``): what live counts are rebuilt from.

A million open sessions pass through here when a worker starts, so they are read as Arrow, some accounts at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple, cast

import numpy as np
import pyarrow as pa

from pipeline.codec.columns.seat_rows import NO_EVIDENCE, SEAT_ROWS
from pipeline.store.client import Client, Parameter, StoreRefused

_SESSION: Final = "account, product, country, usage, machine, user, session"
_LATEST: Final = """
SELECT account, toInt32(toUInt16(max(day) AS latest)),
       toUInt64(arraySum((on_day, n) -> if(on_day > latest - {days:UInt8}, n, 0), groupArray(day), groupArray(n)))
FROM (SELECT account, day, count() AS n FROM usage_days GROUP BY account, day)
GROUP BY account
ORDER BY account
"""
_OF_ACCOUNTS: Final = """
  account >= {first_account:String} AND account <= {last_account:String} AND day >= toDate({first_day:Int32})
  AND toInt32(toUInt16(day)) >= transform(account, {accounts:Array(String)}, {first_days:Array(Int32)}, 65536)
"""
"""The first line is for the primary key, the second says exactly what is read; no ``Date`` is later than 65535."""
_SESSION_DAYS: Final = f"""
SELECT {_SESSION}, toInt32(toUInt16(day)) AS on_day,
       toUnixTimestamp64Milli(opened_at) AS first_at, toUnixTimestamp64Milli(last_at) AS latest_at,
       used_slots, toInt64(0) AS close_at
FROM usage_days FINAL
WHERE {_OF_ACCOUNTS}
SETTINGS max_threads = 1, output_format_arrow_compression_method = 'none'
"""  # noqa: S608 -- our own columns
_CLOSES: Final = f"""
SELECT {_SESSION}, toInt32(toUInt16(toDate(closed_at) AS day)) AS on_day,
       toInt64({NO_EVIDENCE[0]}) AS first_at, toInt64({NO_EVIDENCE[1]}) AS latest_at,
       emptyArrayUInt8() AS used_slots, toUnixTimestamp64Milli(closed_at) AS close_at
FROM session_closes
WHERE {_OF_ACCOUNTS}
SETTINGS max_threads = 1, output_format_arrow_compression_method = 'none'
"""  # noqa: S608 -- our own columns


class LatestDay(NamedTuple):
    """An account, its last UTC day with use, and about how many rows its latest days have."""

    account: str
    day: int
    rows: int


def read_latest_days(client: Client, days: int) -> list[LatestDay]:
    """Every account with stored usage, sorted; rows are those of its last ``days`` UTC days."""
    rows = client.query(_LATEST, {"days": days}).result_rows
    return [LatestDay(*cast(tuple[str, int, int], row)) for row in rows]


def read_seat_rows(client: Client, accounts: Sequence[LatestDay], days: int) -> pa.Table:
    """The seat rows of accounts over the last ``days`` UTC days up to each one's latest; closes may be rows apart."""
    first_days = [account.day - days + 1 for account in accounts]
    names = [account.account for account in accounts]
    parameters: dict[str, Parameter] = {
        "accounts": names, "first_days": first_days,
        "first_account": min(names), "last_account": max(names), "first_day": max(min(first_days), 0),
    }  # fmt: skip
    read = [_seat_rows(client.query_arrow(query, parameters)) for query in (_SESSION_DAYS, _CLOSES)]
    return pa.concat_tables(read)


def release_memory(client: Client) -> None:
    """Give back what reading took in this process, 40 to 60 MiB: the engine and Arrow would keep it.

    For the thread that has read.
    """
    pa.default_memory_pool().release_unused()
    if getattr(client, "uri", "").startswith("chdb:"):
        with suppress(StoreRefused):  # an engine built without this allocator
            client.command("SYSTEM JEMALLOC PURGE")


def _seat_rows(answer: pa.Table) -> pa.Table:
    columns = []
    for field, column in zip(SEAT_ROWS, answer.columns, strict=True):
        if field.name == "used_slots":
            columns.append(_bit_sets(column))
        elif pa.types.is_dictionary(field.type):
            columns.append(column.cast(pa.string()).dictionary_encode())
        else:
            columns.append(column.cast(field.type))
    return pa.table(columns, schema=SEAT_ROWS)


def _bit_sets(lists: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = SEAT_ROWS.field("used_slots").type
    chunks = []
    for chunk in lists.chunks:
        is_used = np.zeros((len(chunk), 8 * kind.byte_width), np.bool_)
        is_used[np.asarray(chunk.value_parent_indices()), np.asarray(chunk.flatten())] = True
        bits = np.packbits(is_used, axis=1, bitorder="little")
        chunks.append(pa.FixedSizeBinaryArray.from_buffers(kind, len(chunk), [None, pa.py_buffer(bits)]))
    return pa.chunked_array(chunks, kind)
