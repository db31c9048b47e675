"""Writing facts: rows that may be written again, in any order, with the same result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.codec.columns.usage_rows import NO_DAY, bits
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.denial_messages import Denial
from pipeline.store.arrow_inserts import INSTANT, insert_rows
from pipeline.store.client import Client

DELIVERY_BLOCK: Final = 1_000

_USAGE_DAYS: Final = pa.schema(
    {
        "account": pa.string(), "product": pa.string(), "country": pa.string(), "usage": pa.string(),
        "day": pa.uint16(), "machine": pa.string(), "user": pa.string(), "session": pa.string(),
        "opened_at": INSTANT, "last_at": INSTANT, "used_slots": pa.list_(pa.uint8()),
        "stretches": pa.map_(pa.int64(), pa.int64()), "version": pa.string(),
        "received_min_at": INSTANT, "received_max_at": INSTANT,
    }
)  # fmt: skip
_SESSION_CLOSES: Final = pa.schema(
    {
        "account": pa.string(), "product": pa.string(), "country": pa.string(), "usage": pa.string(),
        "machine": pa.string(), "user": pa.string(), "session": pa.string(), "closed_at": INSTANT,
    }
)  # fmt: skip
_DELIVERIES: Final = pa.schema(
    {
        "account": pa.string(), "log": pa.string(), "topic": pa.string(), "partition": pa.uint32(),
        "block": pa.uint64(), "heartbeats": pa.map_(pa.uint64(), pa.uint32()),
    }
)  # fmt: skip
_COUNTS: Final = (pa.field("offset", pa.uint64()), pa.field("heartbeats", pa.uint32()))
_DEAD_LETTERS: Final = pa.schema(
    {
        "account": pa.string(), "log": pa.string(), "topic": pa.string(), "partition": pa.uint32(),
        "offset": pa.uint64(), "index": pa.uint32(), "code": pa.string(), "field": pa.string(),
        "detail": pa.string(), "member": pa.string(), "raw": pa.binary(), "received_at": INSTANT,
        "source": pa.string(), "line": pa.uint64(),
    }
)  # fmt: skip
_DENIALS: Final = pa.schema(
    {
        "account": pa.string(), "id": pa.string(), "kind": pa.string(), "at": INSTANT, "feature": pa.string(),
        "user": pa.string(), "machine": pa.string(), "detail": pa.string(), "source": pa.string(), "line": pa.uint64(),
    }
)  # fmt: skip


def write_usage(client: Client, rows: pa.Table) -> None:
    """Merge usage rows (``codec/columns/usage_rows.py``) into ``usage_days`` and ``session_closes``."""
    days = rows.filter(pc.not_equal(rows["day"], NO_DAY))
    if days.num_rows:
        client.insert_arrow("usage_days", _cast(days.set_column(*_slots(days)), _USAGE_DAYS))
    closed = rows.filter(pc.greater(rows["closed_at"], 0))
    if closed.num_rows:
        client.insert_arrow("session_closes", _cast(closed, _SESSION_CLOSES))


def write_deliveries(client: Client, deliveries: pa.Table) -> None:
    """Merge deliveries (``codec/columns/usage_messages.py``) into ``deliveries``, a row per thousand offsets."""
    if not deliveries.num_rows:
        return
    place = ["account", "log", "topic", "partition", "block"]
    blocks = _cast(
        deliveries.append_column("block", pc.divide(deliveries["offset"], DELIVERY_BLOCK)),
        pa.schema([(name, _DELIVERIES.field(name).type) for name in place] + [*_COUNTS]),
    )
    counts = blocks.group_by([*place, "offset"], use_threads=False).aggregate([("heartbeats", "max")])
    grouped = counts.group_by(place, use_threads=False).aggregate([("offset", "list"), ("heartbeats_max", "list")])
    grouped = grouped.combine_chunks()
    offsets, heartbeats = (grouped[name].combine_chunks() for name in ("offset_list", "heartbeats_max_list"))
    maps = pa.MapArray.from_arrays(offsets.offsets, offsets.flatten(), heartbeats.flatten())
    client.insert_arrow("deliveries", grouped.select(place).append_column("heartbeats", maps))


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of a schema, in its types: dictionaries become texts, and epoch ms instants."""
    return pa.table([table[name].cast(kind) for name, kind in zip(schema.names, schema.types, strict=True)], schema)


def _slots(rows: pa.Table) -> tuple[int, str, pa.ListArray]:
    """The column of used slots, as lists: its place, its name and itself."""
    words = np.concatenate([bits(chunk) for chunk in rows["used_slots"].chunks])
    is_used = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    _, slots = np.nonzero(is_used)
    ends = np.cumsum(is_used.sum(axis=1, dtype=np.int32), dtype=np.int32)
    lists = pa.ListArray.from_arrays(np.append(np.int32(0), ends), slots.astype(np.uint8))
    return rows.schema.get_field_index("used_slots"), "used_slots", lists


def write_dead_letters(client: Client, letters: Iterable[DeadLetter]) -> None:
    """Keep dead letters; one that is kept already is replaced by itself."""
    rows = [
        (
            letter.account, letter.log, letter.topic, letter.partition, letter.offset, letter.index, letter.code,
            letter.field, letter.detail, letter.member, letter.raw, letter.received_at, letter.source, letter.line,
        )
        for letter in letters
    ]  # fmt: skip
    insert_rows(client, "dead_letters", _DEAD_LETTERS, rows)


def write_denials(client: Client, denials: Iterable[Denial]) -> None:
    """Keep denials; one that is kept already is replaced by itself."""
    rows = [
        (
            denial.account, denial.id, denial.kind, denial.at, denial.feature, denial.user, denial.machine,
            denial.detail, denial.source, denial.line,
        )
        for denial in denials
    ]  # fmt: skip
    insert_rows(client, "denials", _DENIALS, rows)


def write_completeness(client: Client, account: str, log: str, complete_until: int) -> None:
    """Keep up to when a log is worked off."""
    client.command(
        "INSERT INTO completeness SELECT {account:String}, {log:String}, "
        "fromUnixTimestamp64Milli({complete_until:Int64}, 'UTC')",
        {"account": account, "log": log, "complete_until": complete_until},
    )
