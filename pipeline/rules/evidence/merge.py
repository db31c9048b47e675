"""The one fold: heartbeats to session days (RULES 1). Its algebra is min, max and union, and nothing else.

So duplicates, order, replays, and any split over frames, partitions and crashes cannot change what comes out:
``fold(a + b) == merge(fold(a), fold(b))``. Whoever adds something that adds up breaks the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pipeline.model.evidence import Heartbeat, SessionClose, SessionDay, SessionKey
from pipeline.model.instants import BASE_SLOT_MS, SLOTS_PER_DAY

Fact = list[Any]
"""What is folded of a session day, in place: ``opened_at``, ``last_at``, ``used_slots``, ``stretches`` (a map),
``version``, ``received_min_at``, ``received_max_at``. A list, as each fact folded changes the one that stands."""


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
"""The slots of each byte of a bit set: looked up, an hour costs what one slot did."""


class UsageFold:
    """Session days and closes accumulated from heartbeats and from other session days."""

    def __init__(self) -> None:
        self._days: dict[int, dict[SessionKey, Fact]] = {}
        self._closes: dict[SessionKey, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._days.values())) + len(self._closes)

    def add(self, heartbeat: Heartbeat, received_at: int) -> None:
        """Fold one heartbeat: evidence on ``[since, at]``, on ``[since, at)`` for a close, none for a bare close."""
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
        """Fold what was folded before."""
        fact = [
            day.opened_at, day.last_at, day.used_slots, dict(day.stretches), day.version,
            day.received_min_at, day.received_max_at,
        ]  # fmt: skip
        self.merge_fact(day.session, day.day, fact)

    def merge_close(self, close: SessionClose) -> None:
        """Keep the latest close heard of a session."""
        self._closes[close.session] = max(close.closed_at, self._closes.get(close.session, close.closed_at))

    def session_days(self) -> Iterator[SessionDay]:
        """Every session day folded so far, in no particular order."""
        for session, day, fact in self.facts():
            yield SessionDay(session, day, fact[0], fact[1], fact[2], dict(fact[3]), fact[4], fact[5], fact[6])

    def facts(self) -> Iterator[tuple[SessionKey, int, Fact]]:
        """The same as it is held: with each session its day and its fact."""
        for day, facts in self._days.items():
            for session, fact in facts.items():
                yield session, day, fact

    def closes(self) -> Iterator[SessionClose]:
        """The latest close of every session that had one."""
        for session, closed_at in self._closes.items():
            yield SessionClose(session, closed_at)

    def merge_fact(self, session: SessionKey, day: int, fact: Fact) -> None:
        """Fold a fact, which from then on belongs to this fold."""
        facts = self._days.setdefault(day, {})
        known = facts.get(session)
        if known is None:
            facts[session] = fact
            return
        opened_at, last_at, used_slots, stretches, version, received_min_at, received_max_at = fact
        known[0] = min(known[0], opened_at)
        known[1] = max(known[1], last_at)
        known[2] |= used_slots
        for resumed_at, active_at in stretches.items():
            known[3][resumed_at] = max(active_at, known[3].get(resumed_at, active_at))
        known[4] = max(known[4], version)
        known[5] = min(known[5], received_min_at)
        known[6] = max(known[6], received_max_at)


def fold(heartbeats: Iterable[Heartbeat], received_at: int = 0) -> list[SessionDay]:
    """The session days of some heartbeats, sorted by session and day: the form in which tests compare."""
    usage = UsageFold()
    for heartbeat in heartbeats:
        usage.add(heartbeat, received_at)
    return sorted(usage.session_days(), key=lambda day: (day.session, day.day))
