"""The evidence that windows are charged by, and the windows that are not settled yet: a cache of stored session days.

A session day may come again, in any order, whole or in parts: merging is min, max and union. A session that was
forgotten and comes again is judged only by what comes. So whoever forgets must keep more than a heartbeat may span.

**Open windows are computed again** only where they may have changed, for a charge key at a time:

- A session is **spent** once all its connections that are charged lie in settled windows: no window can ever start in
  it. It is set aside until more evidence of it comes, or until voids change.
- When the first open window of a key is settled unchanged, the windows after it stay: they were computed with it before
  them.
- Any other debit of a key has all its windows computed again. How far everything is settled moves none of them.

``open_windows`` of ``windows.py`` computes the same from all evidence at once; a property holds the two equal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from pipeline.model.evidence import PRODUCTION, SessionDay, SessionKey
from pipeline.model.ledger_entries import Debit, Posting, Window
from pipeline.model.statements import VoidEntry
from pipeline.rules.evidence.sessions import Session, merge_day
from pipeline.rules.orders.voids import without_voided
from pipeline.rules.tokens.activity import Stretch
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.spans import Span, covers
from pipeline.rules.tokens.windows import ChargeKey, are_settled, charged_stretches, windows_of

_Key = TypeVar("_Key")
_Items = TypeVar("_Items")


class _Group(NamedTuple):
    """Sessions that may be charged to the same keys: a user's, in a country, of codes that count for one another."""

    country: str
    user: str
    family: str


class TokenEvidence:
    """An account's sessions that may be charged, and their open windows, computed again only where needed."""

    def __init__(self, reading: TokenReading) -> None:
        self._reading = reading
        self._live: dict[_Group, dict[SessionKey, Session]] = {}
        self._spent: dict[_Group, tuple[Session, ...]] = {}
        self._open: dict[ChargeKey, tuple[Window, ...]] = {}
        self._touched: set[ChargeKey] = set()
        self._voids: tuple[VoidEntry, ...] = ()

    def heed(self, voids: Sequence[VoidEntry]) -> None:
        """Apply voids to every open window. Settled windows stay: only a credit corrects them."""
        if tuple(voids) != self._voids:
            self._voids = tuple(voids)
            self.touch()

    def merge(self, day: SessionDay) -> None:
        """Merge a session day, unless it is not charged in tokens or says nothing new."""
        key = day.session
        products = self._charged_products(key)
        if not products:
            return
        group = self._group(key)
        live = self._live.get(group, {})
        before = live.get(key) or next((spent for spent in self._spent.get(group, ()) if spent.key == key), None)
        merged = merge_day(before, day)
        if merged == before:
            return
        if before is None:
            key = SessionKey(*map(sys.intern, key))  # all sessions of a user share most of these texts
            merged = replace(merged, key=key)
        elif key not in live:
            self._put(self._spent, group, tuple(spent for spent in self._spent[group] if spent.key != key))
        self._live.setdefault(group, live)[key] = merged
        self._touched.update(ChargeKey(product, group.country, group.user) for product in products)

    def forget(self, before_at: int) -> None:
        """Drop the sessions whose last evidence lies before an instant, but none that an open window may rest on."""
        needed_since = {self._group_of(charge_key): 0 for charge_key in self._touched}
        for charge_key, windows in self._open.items():
            group = self._group_of(charge_key)
            needed_since[group] = min(windows[0].start_at, needed_since.get(group, before_at))
        for group, live in [*self._live.items()]:
            since_at = min(before_at, needed_since.get(group, before_at))
            kept = {key: session for key, session in live.items() if session.last_at >= since_at}
            if len(kept) < len(live):
                self._put(self._live, group, kept)
        for group, spent in [*self._spent.items()]:
            kept_spent = tuple(session for session in spent if session.last_at >= before_at)
            if len(kept_spent) < len(spent):
                self._put(self._spent, group, kept_spent)

    def touch(self) -> None:
        """Have every open window computed again: the contract, the seats or the ledger changed from outside."""
        for group, spent in self._spent.items():
            self._live.setdefault(group, {}).update((session.key, session) for session in spent)
        self._spent.clear()
        self._touched |= self._open.keys()
        for group, live in self._live.items():
            for key in live:
                products = self._charged_products(key)
                self._touched.update(ChargeKey(product, group.country, group.user) for product in products)

    def posted(self, posting: Posting) -> None:
        """Heed that windows were settled. Each posting is given once, in log order, after the ledger has applied it."""
        for entry in posting.entries:
            if isinstance(entry.fact, Debit):
                charge_key = ChargeKey.of(entry.fact.window)
                first, *rest = self._open.get(charge_key, (None,))
                if charge_key not in self._touched and first == entry.fact.window:
                    self._put(self._open, charge_key, tuple(rest))
                else:
                    self._touched.add(charge_key)

    def open_windows(self, ledger: Ledger) -> Mapping[ChargeKey, Sequence[Window]]:
        """The windows of every key that are not settled yet, each in order of start."""
        for charge_key in self._touched:
            self._put(self._open, charge_key, self._compute(charge_key, ledger))
        self._touched.clear()
        return self._open

    def sessions(self) -> Iterable[Session]:
        """Every session kept, as voids leave it."""
        kept = (*(live.values() for live in self._live.values()), *self._spent.values())
        return [session for group in kept for session in without_voided(group, self._voids)]

    def _compute(self, charge_key: ChargeKey, ledger: Ledger) -> tuple[Window, ...]:
        """The open windows of a key; sessions that prove to be spent are set aside."""
        group, settled = self._group_of(charge_key), ledger.settled.get(charge_key, ())
        live = self._live.get(group, {})
        charged, spent = list[Stretch](), list[Session]()
        for session in without_voided(live.values(), self._voids):
            # Fast path: most sessions lie within a settled window of their day, whatever their stretches are.
            is_over = covers(settled, Span(session.opened_at, session.last_at))
            stretches = [] if is_over else list(charged_stretches(session, charge_key.product, self._reading))
            if self._is_spent(session, charge_key, stretches, ledger):
                spent.append(live[session.key])
            else:
                charged += stretches
        if spent:
            for session in spent:
                del live[session.key]
            self._put(self._live, group, live)
            self._spent[group] = (*self._spent.get(group, ()), *spent)
        return tuple(windows_of(charge_key, charged, settled, self._reading))

    def _is_spent(self, session: Session, charge_key: ChargeKey, stretches: Sequence[Stretch], ledger: Ledger) -> bool:
        """Whether no window can start in a session any more: of this key or of another that its code counts for."""
        if not are_settled(stretches, ledger.settled.get(charge_key, ())):
            return False
        products = self._charged_products(session.key)
        others = [charge_key._replace(product=product) for product in products if product != charge_key.product]
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

    def _group_of(self, charge_key: ChargeKey) -> _Group:
        return _Group(charge_key.country, charge_key.user, self._reading.family(charge_key.product))

    @staticmethod
    def _put(kept: dict[_Key, _Items], key: _Key, items: _Items) -> None:
        """Keep items under a key; a key without items is left out."""
        if items:
            kept[key] = items
        else:
            kept.pop(key, None)
