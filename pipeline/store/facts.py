"""Writing facts: Arrow tables whose rows may be written again, in any order, with the same result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pyarrow as pa

from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.usage_frames import Delivery
from pipeline.model.evidence import SessionClose, SessionDay
from pipeline.rules.evidence.merge import slots_of
from pipeline.store.client import Client

DELIVERY_BLOCK: Final = 1_000
_INSTANT: Final = pa.timestamp("ms", tz="UTC")

_USAGE_DAYS: Final = pa.schema(
    {
        "account": pa.string(), "product": pa.string(), "country": pa.string(), "usage": pa.string(),
        "day": pa.uint16(), "machine": pa.string(), "user": pa.string(), "session": pa.string(),
        "opened_at": _INSTANT, "last_at": _INSTANT, "used_slots": pa.list_(pa.uint8()),
        "stretches": pa.map_(pa.int64(), pa.int64()), "version": pa.string(),
        "received_min_at": _INSTANT, "received_max_at": _INSTANT,
    }
)  # fmt: skip
_SESSION_CLOSES: Final = pa.schema(
    {
        "account": pa.string(), "product": pa.string(), "country": pa.string(), "usage": pa.string(),
        "machine": pa.string(), "user": pa.string(), "session": pa.string(), "closed_at": _INSTANT,
    }
)  # fmt: skip
_DELIVERIES: Final = pa.schema(
    {
        "account": pa.string(), "log": pa.string(), "topic": pa.string(), "partition": pa.uint32(),
        "block": pa.uint64(), "heartbeats": pa.map_(pa.uint64(), pa.uint32()),
    }
)  # fmt: skip
_DEAD_LETTERS: Final = pa.schema(
    {
        "account": pa.string(), "log": pa.string(), "topic": pa.string(), "partition": pa.uint32(),
        "offset": pa.uint64(), "index": pa.uint32(), "code": pa.string(), "field": pa.string(),
        "detail": pa.string(), "member": pa.string(), "raw": pa.binary(), "received_at": _INSTANT,
        "source": pa.string(), "line": pa.uint64(),
    }
)  # fmt: skip
_DENIALS: Final = pa.schema(
    {
        "account": pa.string(), "id": pa.string(), "kind": pa.string(), "at": _INSTANT, "feature": pa.string(),
        "user": pa.string(), "machine": pa.string(), "detail": pa.string(), "source": pa.string(), "line": pa.uint64(),
    }
)  # fmt: skip


def write_session_days(client: Client, days: Iterable[SessionDay]) -> None:
    """Merge session days into ``usage_days``."""
    rows = [
        (
            *day.session[:4], day.day, *day.session[4:], day.opened_at, day.last_at, list(slots_of(day.used_slots)),
            list(day.stretches.items()), day.version, day.received_min_at, day.received_max_at,
        )
        for day in days
    ]  # fmt: skip
    _insert(client, "usage_days", _USAGE_DAYS, rows)


def write_closes(client: Client, closes: Iterable[SessionClose]) -> None:
    """Merge closes into ``session_closes``."""
    _insert(client, "session_closes", _SESSION_CLOSES, [(*close.session, close.closed_at) for close in closes])


def write_deliveries(client: Client, deliveries: Mapping[str, Iterable[Delivery]]) -> None:
    """Merge the deliveries of each account into ``deliveries``, a row per thousand offsets."""
    blocks: dict[tuple[str, str, str, int, int], dict[int, int]] = {}
    for account, delivered in deliveries.items():
        for one in delivered:
            block = (account, one.log, one.topic, one.partition, one.offset // DELIVERY_BLOCK)
            counts = blocks.setdefault(block, {})
            counts[one.offset] = max(one.heartbeats, counts.get(one.offset, 0))
    _insert(client, "deliveries", _DELIVERIES, [(*block, list(counts.items())) for block, counts in blocks.items()])


def write_dead_letters(client: Client, letters: Iterable[DeadLetter]) -> None:
    """Keep dead letters; one that is kept already is replaced by itself."""
    rows = [
        (
            one.account, one.log, one.topic, one.partition, one.offset, one.index, one.code, one.field, one.detail,
            one.member, one.raw, one.received_at, one.source, one.line,
        )
        for one in letters
    ]  # fmt: skip
    _insert(client, "dead_letters", _DEAD_LETTERS, rows)


def write_denials(client: Client, denials: Iterable[Denial]) -> None:
    """Keep denials; one that is kept already is replaced by itself."""
    rows = [
        (one.account, one.id, one.kind, one.at, one.feature, one.user, one.machine, one.detail, one.source, one.line)
        for one in denials
    ]
    _insert(client, "denials", _DENIALS, rows)


def write_completeness(client: Client, account: str, log: str, complete_until: int) -> None:
    """Note up to when a log is worked off."""
    client.command(
        "INSERT INTO completeness SELECT {account:String}, {log:String}, "
        "fromUnixTimestamp64Milli({complete_until:Int64}, 'UTC')",
        {"account": account, "log": log, "complete_until": complete_until},
    )


def _insert(client: Client, table: str, schema: pa.Schema, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return
    columns = [pa.array(column, type=kind) for column, kind in zip(zip(*rows, strict=True), schema.types, strict=True)]
    client.insert_arrow(table, pa.table(columns, schema=schema))
