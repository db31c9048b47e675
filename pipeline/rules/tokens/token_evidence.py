"""The evidence that windows are charged by, and the windows that are not settled yet: a cache of stored session days.

A session day may come again, in any order, whole or in parts: merging is min, max and union. What was forgotten and is
told anew is judged by what is told, so whoever forgets keeps more than evidence may span.

**What is worked out anew** is what may have changed, a pool at a time; everything else stays as it was found:

- A session is **spent** once all its connections that are charged lie in settled windows. No window can start in it
  whatever else comes, so it is put by, and looked at again when more is told of it, or voids change.
- Where the first open window of a pool is settled as it was found, those after it stay: they were found with it ahead.
- What begins at or before the end of what is settled is late evidence and judged otherwise. So when that end moves,
  pools are worked out anew whose first open window starts before it or so soon after that its stretch may begin before.

``open_windows`` of ``windows``, over all evidence at once, says the same and is what this is held against.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from pipeline.model.evidence import PRODUCTION, SessionDay, SessionKey
from pipeline.model.instants import HOUR_MS
from pipeline.model.ledger_entries import Debit, Posting, Settled, Window
from pipeline.model.statements import VoidEntry
from pipeline.rules.evidence.sessions import Session, merge_day
from pipeline.rules.orders.voids import without
from pipeline.rules.tokens.activity import Span, Stretch, covers
from pipeline.rules.tokens.ledger import Ledger, pool_of
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.windows import ChargePool, are_settled, charged_stretches, windows_of

SOON_MS = HOUR_MS
"""More than any free connection lasts."""

Name = TypeVar("Name")
Found = TypeVar("Found")


class _Group(NamedTuple):
    """Sessions that may be charged to the same pools: a user's, in a country, of codes that count for one another."""

    country: str
    user: str
    family: str


class TokenEvidence:
    """One account's sessions that may be charged, and their open windows, worked out anew only where need be."""

    def __init__(self, reading: TokenReading) -> None:
        self._reading = reading
        self._live: dict[_Group, dict[SessionKey, Session]] = {}
        self._spent: dict[_Group, tuple[Session, ...]] = {}
        self._open: dict[ChargePool, tuple[Window, ...]] = {}
        self._touched: set[ChargePool] = set()
        self._voids: tuple[VoidEntry, ...] = ()

    def heed(self, voids: Sequence[VoidEntry]) -> None:
        """Leave out of every open window what is voided. What is settled stays: a credit makes it good."""
        if tuple(voids) != self._voids:
            self._voids = tuple(voids)
            self.touch()

    def merge(self, day: SessionDay) -> None:
        """Take in a session day; what is not charged in tokens, or is known already, is passed over."""
        key = day.session
        products = self._charged_products(key)
        if not products:
            return
        group = self._group(key)
        live = self._live.get(group, {})
        known = live.get(key) or next((one for one in self._spent.get(group, ()) if one.key == key), None)
        merged = merge_day(known, day)
        if merged == known:
            return
        if known is None:
            key = SessionKey(*map(sys.intern, key))  # most of it is said in each of a user's sessions
            merged = replace(merged, key=key)
        elif key not in live:
            self._put(self._spent, group, tuple(one for one in self._spent[group] if one.key != key))
        self._live.setdefault(group, live)[key] = merged
        self._touched.update(ChargePool(product, group.country, group.user) for product in products)

    def forget(self, before_at: int) -> None:
        """Drop the sessions last heard of before an instant, but none that an open window may rest on."""
        needed = {self._group_of(pool): 0 for pool in self._touched}
        for pool, windows in self._open.items():
            group = self._group_of(pool)
            needed[group] = min(windows[0].start_at, needed.get(group, before_at))
        for group, live in [*self._live.items()]:
            since_at = min(before_at, needed.get(group, before_at))
            if any(one.last_at < since_at for one in live.values()):
                self._put(self._live, group, {key: one for key, one in live.items() if one.last_at >= since_at})
        for group, spent in [*self._spent.items()]:
            if any(one.last_at < before_at for one in spent):
                self._put(self._spent, group, tuple(one for one in spent if one.last_at >= before_at))

    def touch(self) -> None:
        """Have every open window worked out anew: the contract, the seats or the ledger changed from outside."""
        for group, spent in self._spent.items():
            self._live.setdefault(group, {}).update((one.key, one) for one in spent)
        self._spent.clear()
        self._touched |= self._open.keys()
        for group, live in self._live.items():
            for key in live:
                self._touched.update(ChargePool(one, group.country, group.user) for one in self._charged_products(key))

    def posted(self, posting: Posting) -> None:
        """Heed that windows were settled; a posting is heard once, in the order of the log, by its ledger before."""
        for entry in posting.entries:
            if isinstance(entry.fact, Debit):
                pool = pool_of(entry.fact.window)
                first, *rest = self._open.get(pool, (None,))
                if pool not in self._touched and first == entry.fact.window:
                    self._put(self._open, pool, tuple(rest))
                else:
                    self._touched.add(pool)
            elif isinstance(entry.fact, Settled):
                soon_at = entry.fact.until_at + SOON_MS
                self._touched.update(pool for pool, found in self._open.items() if found[0].start_at <= soon_at)

    def open_windows(self, ledger: Ledger) -> Mapping[ChargePool, Sequence[Window]]:
        """The windows of every pool that are not settled yet, each in order of start."""
        for pool in self._touched:
            self._put(self._open, pool, self._work_out(pool, ledger))
        self._touched.clear()
        return self._open

    def reserved(self, ledger: Ledger) -> int:
        """The tokens that the open windows will take."""
        return sum(window.rate for windows in self.open_windows(ledger).values() for window in windows)

    def sessions(self) -> Iterable[Session]:
        """Every session kept, as voids leave it."""
        kept = (*(one.values() for one in self._live.values()), *self._spent.values())
        return [session for group in kept for session in without(group, self._voids)]

    def _work_out(self, pool: ChargePool, ledger: Ledger) -> tuple[Window, ...]:
        """The open windows of a pool; sessions that are found to be spent are put by."""
        group, settled = self._group_of(pool), ledger.settled.get(pool, ())
        live = self._live.get(group, {})
        found, spent = list[Stretch](), list[Session]()
        for session in without(live.values(), self._voids):
            # Most sessions lie in a window of their own day; then there is no need to take them apart.
            is_over = covers(settled, Span(session.opened_at, session.last_at))
            stretches = [] if is_over else list(charged_stretches(session, pool.product, self._reading))
            if self._is_spent(session, pool, stretches, ledger):
                spent.append(live[session.key])
            else:
                found += stretches
        if spent:
            for session in spent:
                del live[session.key]
            self._put(self._live, group, live)
            self._spent[group] = (*self._spent.get(group, ()), *spent)
        return tuple(windows_of(pool, found, settled, ledger.settled_until_at, self._reading))

    def _is_spent(self, session: Session, pool: ChargePool, found: Sequence[Stretch], ledger: Ledger) -> bool:
        """Whether neither this pool nor another that the session's code counts for can have a window start in it."""
        if not are_settled(found, ledger.settled.get(pool, ())):
            return False
        others = (pool._replace(product=one) for one in self._charged_products(session.key) if one != pool.product)
        return all(
            are_settled(charged_stretches(session, other.product, self._reading), ledger.settled.get(other, ()))
            for other in others
        )

    def _charged_products(self, key: SessionKey) -> Iterable[str]:
        """The products that a session may be charged to: of production use, those its code counts for at some time."""
        if key.usage != PRODUCTION:
            return ()
        return self._reading.charged(key.product, self._reading.country_of(key.country))

    def _group(self, key: SessionKey) -> _Group:
        return _Group(self._reading.country_of(key.country), key.user, self._reading.family(key.product))

    def _group_of(self, pool: ChargePool) -> _Group:
        return _Group(pool.country, pool.user, self._reading.family(pool.product))

    @staticmethod
    def _put(kept: dict[Name, Found], name: Name, found: Found) -> None:
        """Keep what there is under a name, and no name under which there is nothing."""
        if found:
            kept[name] = found
        else:
            kept.pop(name, None)
