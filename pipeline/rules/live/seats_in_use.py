"""Seats in use, live: per pool and slot the units that count, and the sessions still in grace (RULES 3).

This is a cache of stored usage. Session days come from the store and from the ``usage`` topic, in any order and any
number of times. The count of a slot equals the statement's; it is 0 where the statement has an error because no policy
is in force. The cache counts the last days of an account and keeps the evidence of one day more, so that a session over
midnight is judged by all of it. Older slots are asked of the store.

Merging happens millions of times and is cheap. A session is counted only when a count is asked for and it has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.model.instants import DAY_MS, Period, day_of
from pipeline.rules.evidence.merge import merge_without_stretches
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.live.grace import first_count
from pipeline.rules.live.judgement_cache import JudgementCache, Judging
from pipeline.rules.pool.counting import Pool, counted_slots, unit_of


@dataclass(frozen=True, slots=True)
class InGrace:
    """An open session that does not count yet, and the instant at which it begins to, if it goes on."""

    session: SessionKey
    product: str
    country: str
    opened_at: int
    counts_from: int


_Contribution = frozenset[tuple[Pool, int, Hashable]]
"""What a session adds to the counts: pool, start of the slot, and the unit it is there."""


class AccountSeats:
    """The live seats of an account under a contract, over the last UTC days up to the latest evidence."""

    DAYS_COUNTED: Final = 3
    DAYS_KEPT: Final = DAYS_COUNTED + 1

    def __init__(self, judging: Judging) -> None:
        self._judgements = JudgementCache(judging)
        self._days: dict[SessionKey, dict[int, SessionDay]] = {}
        self._closed_at: dict[SessionKey, int] = {}
        self._changed: set[SessionKey] = set()
        self._counted: dict[SessionKey, _Contribution] = {}
        self._units: dict[Pool, dict[int, Counter[Hashable]]] = {}
        self._first_day_held = 0
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
        self._judgements = JudgementCache(judging)
        self._changed |= self._days.keys()

    def merge(self, day: SessionDay) -> None:
        """Merge a session day; merging it again changes nothing."""
        if day.day < self._first_day_kept:
            return
        self.latest_at = max(self.latest_at, min(day.last_at, (day.day + 1) * DAY_MS - 1))
        days = self._days.setdefault(day.session, {})
        before = days.get(day.day)
        if before is None:
            after = replace(day, stretches={}) if day.stretches else day
        else:
            after = merge_without_stretches(before, day)
            if after == before:
                return
        days[day.day] = after
        self._changed.add(day.session)

    def close(self, close: SessionClose) -> None:
        """Heed that a session was closed."""
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
        """Open production sessions with evidence in the latest slots that do not count in any slot yet, by opening."""
        self._recount_changed()
        uncounted = [_session(self._days[key]) for key in self._days if not self._counted.get(key)]
        for session in sorted(uncounted, key=lambda session: (session.opened_at, session.key)):
            if not session.is_production or self._closed_at.get(session.key, 0) >= session.last_at:
                continue
            latest = self._judgements.at(session.key, session.last_at)
            if latest is None or self.latest_at - session.last_at >= 2 * latest.policy.slot_ms:
                continue
            beginning = first_count(session, self._judgements.over(session))
            if beginning is not None:
                begins_at, judgement = beginning
                yield InGrace(session.key, judgement.product, judgement.country, session.opened_at, begins_at)

    def forget(self) -> None:
        """Drop the days before those that are kept. They can be read from the store again."""
        first_day = self._first_day_kept
        if first_day == self._first_day_held:
            return
        self._first_day_held = first_day
        self._closed_at = {key: at for key, at in self._closed_at.items() if day_of(at) >= first_day}
        for key in list(self._days):
            days = {day: fact for day, fact in self._days[key].items() if day >= first_day}
            if not days:
                self._changed.discard(key)
                self._replace_contribution(key, frozenset())
                del self._days[key]
            elif len(days) < len(self._days[key]):
                self._days[key] = days
                self._changed.add(key)

    def _recount_changed(self) -> None:
        while self._changed:
            key = self._changed.pop()
            self._replace_contribution(key, frozenset(self._contribution(key)))

    def _replace_contribution(self, key: SessionKey, after: _Contribution) -> None:
        before = self._counted.pop(key, frozenset())
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
            for judgement in self._judgements.in_quarter(key, period):
                pool, policy = (judgement.product, judgement.country), judgement.policy
                for slot_at in counted_slots(session, policy, judgement.from_at, judgement.until_at):
                    yield pool, slot_at, unit_of(key, policy)


def _session(days: dict[int, SessionDay]) -> Session:
    return sessions(days.values())[0]
