"""The evidence that windows are charged by, and the windows that are not settled yet: a cache of stored session days.

A session day may come again, in any order, whole or in parts: merging is min, max and union. What was forgotten and is
told anew is judged by what is told, so whoever forgets keeps more than evidence may span.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pipeline.model.evidence import SessionDay, SessionKey
from pipeline.model.instants import HOUR_MS
from pipeline.model.ledger import Posting, Settled, Window
from pipeline.model.statement import VoidEntry
from pipeline.rules.sessions import Session
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.windows import Pool, is_charged, open_windows, pools_of
from pipeline.rules.voids import without

SOON_MS = HOUR_MS
"""More than any free connection lasts."""


class _Group(NamedTuple):
    """Sessions that may be charged to the same pools: a user's, in a country, of codes that count for one another."""

    country: str
    user: str
    family: str


def merge_day(known: Session | None, day: SessionDay) -> Session:
    """A session with one more of its days."""
    if known is None:
        return Session(
            day.session, day.opened_at, day.last_at, {day.day: day.used_slots}, dict(day.stretches), day.version
        )
    stretches = dict(known.stretches)
    for resumed_at, active_at in day.stretches.items():
        stretches[resumed_at] = max(active_at, stretches.get(resumed_at, active_at))
    return Session(
        key=known.key,
        opened_at=min(known.opened_at, day.opened_at),
        last_at=max(known.last_at, day.last_at),
        used_slots={**known.used_slots, day.day: known.used_slots.get(day.day, 0) | day.used_slots},
        stretches=stretches,
        version=max(known.version, day.version),
    )


class TokenEvidence:
    """One account's sessions that may be charged, and their open windows, worked out anew only where need be."""

    def __init__(self, reading: TokenReading) -> None:
        self._reading = reading
        self._groups: dict[_Group, dict[SessionKey, Session]] = {}
        self._open: dict[Pool, list[Window]] = {}
        self._touched: set[Pool] = set()
        self._voids: tuple[VoidEntry, ...] = ()

    def heed(self, voids: Sequence[VoidEntry]) -> None:
        """Leave out of every open window what is voided. What is settled stays: a credit makes it good."""
        if tuple(voids) != self._voids:
            self._voids = tuple(voids)
            self.touch()

    def merge(self, day: SessionDay) -> None:
        """Take in a session day; what is not charged in tokens is passed over."""
        session = merge_day(None, day)
        if not is_charged(session, self._reading):
            return
        group = self._groups.setdefault(self._group(day.session), {})
        group[day.session] = merge_day(group.get(day.session), day)
        self._touched |= pools_of((session,), self._reading)

    def forget(self, before_at: int) -> None:
        """Drop the sessions last heard of before an instant, but none that an open window may rest on."""
        needed: dict[_Group, int] = {}
        for pool in self._touched:
            needed[self._group_of(pool)] = 0
        for pool, windows in self._open.items():
            group = self._group_of(pool)
            needed[group] = min(windows[0].start_at, needed.get(group, before_at))
        for key, sessions in [*self._groups.items()]:
            since_at = min(before_at, needed.get(key, before_at))
            kept = {name: one for name, one in sessions.items() if one.last_at >= since_at}
            if kept:
                self._groups[key] = kept
            else:
                del self._groups[key]

    def touch(self) -> None:
        """Have every open window worked out anew: the contract, the seats or the ledger changed from outside."""
        self._touched |= self._open.keys()
        for group in self._groups.values():
            self._touched |= pools_of(group.values(), self._reading)

    def posted(self, posting: Posting) -> None:
        """Have the windows of the pools that a posting settled worked out anew, and of those that begin right after.

        What begins before the end of what is settled is late evidence, which is judged otherwise.
        """
        for entry in posting.entries:
            if isinstance(entry.fact, Settled):
                soon_at = entry.fact.until_at + SOON_MS
                self._touched |= {pool for pool, found in self._open.items() if found[0].start_at <= soon_at}
            window = getattr(entry.fact, "window", None)
            if isinstance(window, Window):
                self._touched.add(Pool(window.product, window.country, window.user))

    def open_windows(self, ledger: Ledger) -> Mapping[Pool, list[Window]]:
        """The windows of every pool that are not settled yet, each in order of start."""
        for pool in self._touched:
            group = self._group_of(pool)
            windows = open_windows(
                pool,
                without(self._groups.get(group, {}).values(), self._voids),
                ledger.settled.get(pool, ()),
                ledger.settled_until_at,
                self._reading,
            )
            if windows:
                self._open[pool] = windows
            else:
                self._open.pop(pool, None)
        self._touched.clear()
        return self._open

    def reserved(self, ledger: Ledger) -> int:
        """The tokens that the open windows will take."""
        return sum(window.rate for windows in self.open_windows(ledger).values() for window in windows)

    def sessions(self) -> Iterable[Session]:
        """Every session kept, as voids leave it."""
        return [session for group in self._groups.values() for session in without(group.values(), self._voids)]

    def _group(self, key: SessionKey) -> _Group:
        return _Group(self._reading.country_of(key.country), key.user, self._reading.family(key.product))

    def _group_of(self, pool: Pool) -> _Group:
        return _Group(pool.country, pool.user, self._reading.family(pool.product))
