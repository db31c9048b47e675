"""Writing facts: rows that may be written again, in any order, with the same result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa

from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.usage_frames import Delivery
from pipeline.model.evidence import SessionClose, SessionDay
from pipeline.rules.evidence.merge import slots_of
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


def write_session_days(client: Client, days: Iterable[SessionDay]) -> None:
    """Merge session days into ``usage_days``."""
    rows = [
        (
            *day.session[:4], day.day, *day.session[4:], day.opened_at, day.last_at, list(slots_of(day.used_slots)),
            list(day.stretches.items()), day.version, day.received_min_at, day.received_max_at,
        )
        for day in days
    ]  # fmt: skip
    insert_rows(client, "usage_days", _USAGE_DAYS, rows)


def write_closes(client: Client, closes: Iterable[SessionClose]) -> None:
    """Merge closes into ``session_closes``."""
    insert_rows(client, "session_closes", _SESSION_CLOSES, [(*close.session, close.closed_at) for close in closes])


def write_deliveries(client: Client, deliveries: Mapping[str, Iterable[Delivery]]) -> None:
    """Merge the deliveries of each account into ``deliveries``, a row per thousand offsets."""
    blocks: dict[tuple[str, str, str, int, int], dict[int, int]] = {}
    for account, delivered in deliveries.items():
        for delivery in delivered:
            block = (account, delivery.log, delivery.topic, delivery.partition, delivery.offset // DELIVERY_BLOCK)
            counts = blocks.setdefault(block, {})
            counts[delivery.offset] = max(delivery.heartbeats, counts.get(delivery.offset, 0))
    insert_rows(client, "deliveries", _DELIVERIES, [(*block, list(counts.items())) for block, counts in blocks.items()])


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
