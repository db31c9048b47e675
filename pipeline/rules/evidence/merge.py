"""Merge: heartbeats become session days by minimum, maximum and union, and by nothing else (RULES 1).

RULES 1: "Merging session days is min, max and union. So duplicates, order, replay and crashes cannot change them, and
late evidence only adds use." A split over frames, partitions or restarts cannot change them either:
``fold(a + b) == merge(fold(a), fold(b))``. Whoever adds a sum or a counter here breaks the product.

The same algebra stands, each time held to this file by a property or a test: over columns in
``pipeline/codec/columns``, over the days of a session in ``sessions.py``, and in SQL in the engine of the table
``usage_days`` (``schemas/clickhouse``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pipeline.model.evidence import Heartbeat, SessionClose, SessionDay, SessionKey
from pipeline.model.instants import BASE_SLOT_MS, SLOTS_PER_DAY

DayFact = list[Any]
"""A session day as it is folded: ``opened_at``, ``last_at``, ``used_slots``, ``stretches`` (a map), ``version``,
``received_min_at``, ``received_max_at``. A list, because merging changes it in place."""


def slot_mask(first: int, last: int) -> int:
    """The bit set of the base slots ``first`` to ``last`` of a day, both included."""
    return ((1 << (last - first + 1)) - 1) << first


def slots_of(mask: int) -> Iterator[int]:
    """The base slots of a bit set, ascending."""
    for eight, bits in enumerate(mask.to_bytes(SLOTS_PER_DAY // 8, "little")):
        if bits:
            yield from _SLOTS[eight][bits]


_SLOTS: Final = tuple(
    tuple(tuple(8 * eight + bit for bit in range(8) if bits >> bit & 1) for bits in range(256))
    for eight in range(SLOTS_PER_DAY // 8)
)
"""The slots of each value of each byte of a bit set: one look-up takes eight slots apart."""


class UsageFold:
    """Session days and closes accumulated from heartbeats and from other session days."""

    def __init__(self) -> None:
        self._days: dict[int, dict[SessionKey, DayFact]] = {}
        self._closes: dict[SessionKey, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._days.values())) + len(self._closes)

    def add(self, heartbeat: Heartbeat, received_at: int) -> None:
        """Fold a heartbeat: evidence on ``[since, at]``, on ``[since, at)`` for a close, none for a bare close."""
        session = SessionKey._make(heartbeat[:7])
        last_evidence_at = heartbeat.at
        if heartbeat.state == "close":
            self.merge_close(SessionClose(session, heartbeat.at))
            if heartbeat.since == heartbeat.at:
                return
            last_evidence_at -= 1
        first, last = heartbeat.since // BASE_SLOT_MS, last_evidence_at // BASE_SLOT_MS
        last_day = last // SLOTS_PER_DAY
        for day in range(first // SLOTS_PER_DAY, last_day + 1):
            midnight = day * SLOTS_PER_DAY
            mask = slot_mask(max(first - midnight, 0), min(last - midnight, SLOTS_PER_DAY - 1))
            stretches = {heartbeat.resumed_at: heartbeat.active_at} if day == last_day else {}
            fact = [heartbeat.opened_at, heartbeat.at, mask, stretches, heartbeat.version, received_at, received_at]
            self.merge_fact(session, day, fact)

    def merge(self, day: SessionDay) -> None:
        """Fold a session day that was folded elsewhere."""
        fact = [
            day.opened_at, day.last_at, day.used_slots, dict(day.stretches), day.version,
            day.received_min_at, day.received_max_at,
        ]  # fmt: skip
        self.merge_fact(day.session, day.day, fact)

    def merge_close(self, close: SessionClose) -> None:
        """Keep the latest close of a session."""
        self._closes[close.session] = max(close.closed_at, self._closes.get(close.session, close.closed_at))

    def session_days(self) -> Iterator[SessionDay]:
        """Every session day folded so far, in no particular order."""
        for session, day, fact in self.facts():
            yield SessionDay(session, day, fact[0], fact[1], fact[2], dict(fact[3]), fact[4], fact[5], fact[6])

    def facts(self) -> Iterator[tuple[SessionKey, int, DayFact]]:
        """The same as it is held: session, day and fact."""
        for day, facts in self._days.items():
            for session, fact in facts.items():
                yield session, day, fact

    def closes(self) -> Iterator[SessionClose]:
        """The latest close of every session that was closed."""
        for session, closed_at in self._closes.items():
            yield SessionClose(session, closed_at)

    def merge_fact(self, session: SessionKey, day: int, fact: DayFact) -> None:
        """Fold a fact. The fold keeps the list and changes it, so the caller must not use it any more."""
        facts = self._days.setdefault(day, {})
        merged = facts.get(session)
        if merged is None:
            facts[session] = fact
            return
        opened_at, last_at, used_slots, stretches, version, received_min_at, received_max_at = fact
        merged[0] = min(merged[0], opened_at)
        merged[1] = max(merged[1], last_at)
        merged[2] |= used_slots
        for resumed_at, active_at in stretches.items():
            merged[3][resumed_at] = max(active_at, merged[3].get(resumed_at, active_at))
        merged[4] = max(merged[4], version)
        merged[5] = min(merged[5], received_min_at)
        merged[6] = max(merged[6], received_max_at)


def merge_without_stretches(first: SessionDay, second: SessionDay) -> SessionDay:
    """Two facts of a session day merged, without stretches of activity: no count of seats needs them."""
    return SessionDay(
        session=first.session,
        day=first.day,
        opened_at=min(first.opened_at, second.opened_at),
        last_at=max(first.last_at, second.last_at),
        used_slots=first.used_slots | second.used_slots,
        stretches={},
        version=max(first.version, second.version),
        received_min_at=min(first.received_min_at, second.received_min_at),
        received_max_at=max(first.received_max_at, second.received_max_at),
    )


def fold(heartbeats: Iterable[Heartbeat], received_at: int = 0) -> list[SessionDay]:
    """The session days of some heartbeats, sorted by session and day, so that results can be compared."""
    usage = UsageFold()
    for heartbeat in heartbeats:
        usage.add(heartbeat, received_at)
    return sorted(usage.session_days(), key=lambda day: (day.session, day.day))
