"""Seats in use, live: per pool and slot the units that count, and the sessions still in grace (RULES 3).

A cache of stored usage: session days are merged into it in any order, from the store and from the ``usage`` topic,
as often as anybody likes. Its count of a slot equals the statement's, and is 0 where the statement refuses for want of
a policy. It counts the last days of each account and keeps the evidence of one more, so that a session over midnight
is judged by all of it; what is older is asked of the store.

Taking in is cheap, as it happens millions of times; a session is counted when somebody asks and it has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.model.instants import DAY_MS, Period, day_of
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.live.grace import first_count
from pipeline.rules.pool.counting import Pool, counted_slots, unit_of
from pipeline.rules.pool.reading import Judgement


@dataclass(frozen=True, slots=True)
class InGrace:
    """An open session that does not count yet, and the instant at which it begins to, if it goes on."""

    session: SessionKey
    product: str
    country: str
    opened_at: int
    counts_from: int


class Judging(Protocol):
    """How use of a code is judged over a period, as ``ContractReading`` says it."""

    def judgements(self, code: str, reported_country: str, period: Period) -> tuple[Judgement, ...]: ...


_Contribution = frozenset[tuple[Pool, int, Hashable]]


class AccountSeats:
    """The live seats of one account, over the last UTC days up to the latest one heard."""

    DAYS_COUNTED: Final = 3
    DAYS_KEPT: Final = DAYS_COUNTED + 1

    def __init__(self, judging: Judging) -> None:
        self._judging = judging
        self._days: dict[SessionKey, dict[int, SessionDay]] = {}
        self._closed_at: dict[SessionKey, int] = {}
        self._changed: set[SessionKey] = set()
        self._counted: dict[SessionKey, _Contribution] = {}
        self._units: dict[Pool, dict[int, Counter[Hashable]]] = {}
        self._judgements: dict[tuple[str, str, str], tuple[Judgement, ...]] = {}
        self._forgotten_day = 0
        self.latest_at = 0

    @property
    def horizon_day(self) -> int:
        """The first UTC day that is counted."""
        return day_of(self.latest_at) - self.DAYS_COUNTED + 1

    @property
    def _first_day_kept(self) -> int:
        return day_of(self.latest_at) - self.DAYS_KEPT + 1

    def judge_by(self, judging: Judging) -> None:
        """Judge everything anew, such as under another version of the contract."""
        self._judging = judging
        self._judgements.clear()
        self._changed |= self._days.keys()

    def merge(self, day: SessionDay) -> None:
        """Take in a session day; the same one again changes nothing."""
        if day.day < self._first_day_kept:
            return
        self.latest_at = max(self.latest_at, min(day.last_at, (day.day + 1) * DAY_MS - 1))
        known = self._days.setdefault(day.session, {})
        merged = _merged(known.get(day.day), day)
        if merged == known.get(day.day):
            return
        known[day.day] = merged
        self._changed.add(day.session)

    def close(self, close: SessionClose) -> None:
        """Take in that a session is over."""
        if day_of(close.closed_at) >= self._first_day_kept:
            self._closed_at[close.session] = max(close.closed_at, self._closed_at.get(close.session, 0))

    def count(self, product: str, country: str, slot_at: int) -> int:
        """Units that count in the slot that starts at ``slot_at``. Raises ``LookupError`` for older slots."""
        if day_of(slot_at) < self.horizon_day:
            raise LookupError("the slot is older than the days counted; ask the store")
        self._recount_changed()
        return len(self._units.get((product, country), {}).get(slot_at, ()))

    def counts(self) -> Iterator[tuple[Pool, int, int]]:
        """``((product, country), slot_at, units)`` of every slot in which something counts, ascending."""
        self._recount_changed()
        horizon_at = self.horizon_day * DAY_MS
        for pool in sorted(self._units):
            for slot_at in sorted(at for at in self._units[pool] if at >= horizon_at):
                yield pool, slot_at, len(self._units[pool][slot_at])

    def in_grace(self) -> Iterator[InGrace]:
        """Open production sessions heard in the latest slots that do not count in any slot yet, by opening."""
        self._recount_changed()
        live = [_session(self._days[key]) for key in self._days if not self._counted.get(key)]
        for session in sorted(live, key=lambda one: (one.opened_at, one.key)):
            if not session.is_production or self._closed_at.get(session.key, 0) >= session.last_at:
                continue
            now = self._judgement(session.key, session.last_at)
            if now is None or self.latest_at - session.last_at >= 2 * now.policy.slot_ms:
                continue
            begins = first_count(session, self._judgements_over(session))
            if begins is not None:
                begins_at, judgement = begins
                yield InGrace(session.key, judgement.product, judgement.country, session.opened_at, begins_at)

    def forget(self) -> None:
        """Drop the days before those that are kept. Costs nothing but a later question to the store."""
        first_day = self._first_day_kept
        if first_day == self._forgotten_day:
            return
        self._forgotten_day = first_day
        self._closed_at = {key: at for key, at in self._closed_at.items() if day_of(at) >= first_day}
        for key in list(self._days):
            days = {day: fact for day, fact in self._days[key].items() if day >= first_day}
            if not days:
                self._changed.discard(key)
                self._recount(key, forgotten=True)
                del self._days[key]
            elif len(days) < len(self._days[key]):
                self._days[key] = days
                self._changed.add(key)

    def _recount_changed(self) -> None:
        while self._changed:
            self._recount(self._changed.pop())

    def _recount(self, key: SessionKey, *, forgotten: bool = False) -> None:
        before = self._counted.pop(key, frozenset())
        after = frozenset() if forgotten else frozenset(self._contribution(key))
        for pool, slot_at, unit in before - after:
            slots = self._units[pool]
            slots[slot_at][unit] -= 1
            if not slots[slot_at][unit]:
                del slots[slot_at][unit]
            if not slots[slot_at]:
                del slots[slot_at]
        for pool, slot_at, unit in after - before:
            self._units.setdefault(pool, {}).setdefault(slot_at, Counter())[unit] += 1
        if after:
            self._counted[key] = after

    def _contribution(self, key: SessionKey) -> Iterator[tuple[Pool, int, Hashable]]:
        session = _session(self._days[key])
        first_at = min(session.used_slots) * DAY_MS
        last_at = max(session.used_slots) * DAY_MS
        for period in {Period.containing(first_at), Period.containing(last_at)}:
            for judgement in self._judgements_in(key, period):
                pool, policy = (judgement.product, judgement.country), judgement.policy
                for slot_at in counted_slots(session, policy, judgement.from_at, judgement.until_at):
                    yield pool, slot_at, unit_of(key, policy)

    def _judgement(self, key: SessionKey, at: int) -> Judgement | None:
        found = self._judgements_in(key, Period.containing(at))
        return next((one for one in found if one.from_at <= at < one.until_at), None)

    def _judgements_over(self, session: Session) -> Iterator[Judgement]:
        """The judgements from a session's first used slot to a day after its last evidence."""
        first_at, last_at = min(session.used_slots) * DAY_MS, session.last_at + DAY_MS
        for period in {Period.containing(at) for at in (first_at, session.last_at, last_at)}:
            yield from self._judgements_in(session.key, period)

    def _judgements_in(self, key: SessionKey, period: Period) -> tuple[Judgement, ...]:
        asked = (key.product, key.country, period.name)
        if asked not in self._judgements:
            try:
                self._judgements[asked] = self._judging.judgements(key.product, key.country, period)
            except BeforeFirstRow:
                self._judgements[asked] = ()
        return self._judgements[asked]


def _session(days: dict[int, SessionDay]) -> Session:
    return sessions(days.values())[0]


def _merged(known: SessionDay | None, day: SessionDay) -> SessionDay:
    if known is None:
        return replace(day, stretches={}) if day.stretches else day
    return SessionDay(
        session=day.session,
        day=day.day,
        opened_at=min(known.opened_at, day.opened_at),
        last_at=max(known.last_at, day.last_at),
        used_slots=known.used_slots | day.used_slots,
        stretches={},
        version=max(known.version, day.version),
        received_min_at=min(known.received_min_at, day.received_min_at),
        received_max_at=max(known.received_max_at, day.received_max_at),
    )
