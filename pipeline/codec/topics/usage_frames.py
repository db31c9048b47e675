"""Session days on the ``usage`` topic: frames of what the meter folded (``schemas/events/usage.v1.schema.json``).

A frame belongs to a single account. It carries session days, closes for live views, and which deliveries were counted.
Reading trusts the types of its fields: only the meter writes here, and a frame is read for every few heartbeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypedDict, cast

import orjson

from pipeline.codec.json_text import parse_json
from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.model.instants import SLOTS_PER_DAY
from pipeline.rules.evidence.merge import DayFact

USAGE_FRAME_BYTES_MAX: Final = 524_288
"""A frame ends before the row that would exceed this."""
STRETCHES_PER_ROW_MAX: Final = 4_000
"""So that the largest row fits a message."""
VERSION: Final = 1


class Delivery(NamedTuple):
    """How many valid heartbeats a message held. It is counted by its place in a log, so a replay counts the same."""

    log: str
    topic: str
    partition: int
    offset: int
    heartbeats: int


@dataclass(frozen=True, slots=True)
class UsageFrame:
    """What a message of the ``usage`` topic says of its account."""

    account: str
    days: tuple[SessionDay, ...] = ()
    closes: tuple[SessionClose, ...] = ()
    deliveries: tuple[Delivery, ...] = field(default=())


class _SessionRow(TypedDict):
    product: str
    country: str
    usage: str
    machine: str
    user: str
    session: str


class _DayRow(_SessionRow):
    day: int
    opened_at: int
    last_at: int
    used_slots: str
    stretches: list[tuple[int, int]]
    version: str
    received_min_at: int
    received_max_at: int


class _CloseRow(_SessionRow):
    closed_at: int


class _DeliveryRow(TypedDict):
    log: str
    topic: str
    partition: int
    offset: int
    heartbeats: int


class _FrameRow(TypedDict):
    v: int
    account: str
    days: list[_DayRow]
    closes: list[_CloseRow]
    deliveries: list[_DeliveryRow]


class UnreadableUsage(ValueError):
    """A message on ``usage`` that no meter wrote. The sink keeps it as a dead letter; others skip it."""


def encode_facts(
    account: str,
    facts: Iterable[tuple[SessionKey, int, DayFact]],
    closes: Iterable[SessionClose],
    deliveries: Iterable[Delivery],
) -> Iterator[bytes]:
    """The frames of one account, each at most about 512 KiB, from facts as a fold holds them (``UsageFold.facts``).

    A fact with very many stretches is split into several rows, which merge to it.
    """
    rows: dict[str, list[bytes]] = {"days": [], "closes": [], "deliveries": []}
    size = 0
    for kind, row in _rows(facts, closes, deliveries):
        if size + len(row) > USAGE_FRAME_BYTES_MAX and size:
            yield _frame(account, rows)
            rows, size = {"days": [], "closes": [], "deliveries": []}, 0
        rows[kind].append(row)
        size += len(row) + 1
    if size:
        yield _frame(account, rows)


def decode_frame(value: bytes) -> UsageFrame:
    """Read a frame. Raises ``UnreadableUsage``."""
    try:
        return _read_frame(cast(_FrameRow, parse_json(value)))
    except UnreadableUsage:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableUsage(f"not a usage frame: {error!r}") from error


def _rows(
    facts: Iterable[tuple[SessionKey, int, DayFact]], closes: Iterable[SessionClose], deliveries: Iterable[Delivery]
) -> Iterator[tuple[str, bytes]]:
    for session, day, fact in facts:
        if len(fact[3]) <= STRETCHES_PER_ROW_MAX:
            yield "days", orjson.dumps(_day_row(session, day, fact, [*fact[3].items()]))
            continue
        stretches = [*fact[3].items()]
        for start in range(0, len(stretches), STRETCHES_PER_ROW_MAX):
            row = _day_row(session, day, fact, stretches[start : start + STRETCHES_PER_ROW_MAX])
            yield "days", orjson.dumps(row)
    for close in closes:
        yield "closes", orjson.dumps(_CloseRow(**_key(close.session), closed_at=close.closed_at))
    for delivery in deliveries:
        yield "deliveries", orjson.dumps(delivery._asdict())


def _frame(account: str, rows: Mapping[str, list[bytes]]) -> bytes:
    return b'{"v":%d,"account":%s,"days":[%s],"closes":[%s],"deliveries":[%s]}' % (
        VERSION,
        orjson.dumps(account),
        b",".join(rows["days"]),
        b",".join(rows["closes"]),
        b",".join(rows["deliveries"]),
    )


def _key(session: SessionKey) -> _SessionRow:
    return {
        "product": session.product,
        "country": session.country,
        "usage": session.usage,
        "machine": session.machine,
        "user": session.user,
        "session": session.session,
    }


def _day_row(session: SessionKey, day: int, fact: DayFact, stretches: list[tuple[int, int]]) -> _DayRow:
    return {
        "product": session[1],
        "country": session[2],
        "usage": session[3],
        "machine": session[4],
        "user": session[5],
        "session": session[6],
        "day": day,
        "opened_at": fact[0],
        "last_at": fact[1],
        "used_slots": f"{fact[2]:x}",
        "stretches": stretches,
        "version": fact[4],
        "received_min_at": fact[5],
        "received_max_at": fact[6],
    }


def _read_frame(frame: _FrameRow) -> UsageFrame:
    if frame["v"] != VERSION:
        raise UnreadableUsage(f"version {frame['v']} of the usage format is not one this program reads (1)")
    account = frame["account"]
    return UsageFrame(
        account=account,
        days=tuple(_read_day(account, row) for row in frame["days"]),
        closes=tuple(SessionClose(_read_key(account, row), row["closed_at"]) for row in frame["closes"]),
        deliveries=tuple(
            Delivery(row["log"], row["topic"], row["partition"], row["offset"], row["heartbeats"])
            for row in frame["deliveries"]
        ),
    )


def _read_key(account: str, row: _SessionRow) -> SessionKey:
    return SessionKey(
        account, row["product"], row["country"], row["usage"], row["machine"], row["user"], row["session"]
    )


def _read_day(account: str, row: _DayRow) -> SessionDay:
    used_slots = int(row["used_slots"], 16)
    if not 0 <= used_slots < 1 << SLOTS_PER_DAY:
        raise UnreadableUsage(f"used_slots {row['used_slots']} is no set of the {SLOTS_PER_DAY} slots of a day")
    return SessionDay(
        session=_read_key(account, row),
        day=row["day"],
        opened_at=row["opened_at"],
        last_at=row["last_at"],
        used_slots=used_slots,
        stretches=dict(row["stretches"]),
        version=row["version"],
        received_min_at=row["received_min_at"],
        received_max_at=row["received_max_at"],
    )
