"""The sessions that files tell of, held until all were read and then taken feature by feature.

A server's log is told once and in heartbeats that say all of a session, so its sessions are held as columns of 32
bytes each: 20 million events take 320 MB, where sessions as objects took more for one million. Heartbeats of clients
may tell of a session in any number of pieces, and are held folded.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.model.evidence import PRODUCTION, Heartbeat, SessionClose
from pipeline.rules.evidence.merge import UsageFold
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.summary.feature_pairs import FeatureCheckout

_ID_DIGITS: Final = 16
"""Of a session's id, which tells equal checkouts of one user, machine and instant apart."""


class HeardSessions(Protocol):
    """Sessions that were heard of, including those given back in the instant they were opened."""

    def features(self) -> set[str]:
        """The features of production sessions."""

    def accounts(self, *, of_production: bool = False) -> set[str]:
        """The accounts whose sessions these are, or those of production sessions."""

    def span(self) -> tuple[int, int] | None:
        """The first opening and the last evidence; ``None`` without a session."""

    def of(self, features: Collection[str], from_at: int, until_at: int) -> Iterator[Session]:
        """Those of some features that were open in ``[from_at, until_at)``, each once, in no particular order."""

    def checkouts(self) -> Iterator[FeatureCheckout]:
        """Those of production use as checkouts, in the order of their instants."""


class FoldedSessions:
    """Sessions of heartbeats in any number of pieces."""

    def __init__(self) -> None:
        self._usage = UsageFold()
        self._by_feature: dict[str, list[Session]] | None = None

    def add(self, heartbeat: Heartbeat) -> None:
        """Take in a heartbeat, before anything is asked."""
        self._usage.add(heartbeat, 0)

    def features(self) -> set[str]:
        """As in ``HeardSessions``."""
        return {session.key.product for session in self._all() if session.is_production}

    def accounts(self, *, of_production: bool = False) -> set[str]:
        """As in ``HeardSessions``."""
        return {session.key.account for session in self._all() if session.is_production or not of_production}

    def span(self) -> tuple[int, int] | None:
        """As in ``HeardSessions``."""
        openings = [session.opened_at for session in self._all()]
        return (min(openings), max(session.last_at for session in self._all())) if openings else None

    def of(self, features: Collection[str], from_at: int, until_at: int) -> Iterator[Session]:
        """As in ``HeardSessions``."""
        for feature in features:
            for session in self._sessions().get(feature, ()):
                if session.opened_at < until_at and max(session.last_at, session.opened_at + 1) > from_at:
                    yield session

    def checkouts(self) -> Iterator[FeatureCheckout]:
        """As in ``HeardSessions``."""
        production = (session for session in self._all() if session.is_production)
        for session in sorted(production, key=lambda session: session.opened_at):
            key = session.key
            yield FeatureCheckout(key.product, key.user, key.machine, session.opened_at)

    def _all(self) -> Iterator[Session]:
        return chain.from_iterable(self._sessions().values())

    def _sessions(self) -> dict[str, list[Session]]:
        if self._by_feature is None:
            self._by_feature = {}
            for session in sessions_of(self._usage):
                self._by_feature.setdefault(session.key.product, []).append(session)
        return self._by_feature


class LoggedSessions:
    """Sessions of one account's servers, each of one production heartbeat that says all of it."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._names: dict[str, int] = {}
        """Users and machines by number."""
        self._columns: dict[str, _Columns] = {}

    def add(self, heartbeat: Heartbeat) -> None:
        """Take in a session's heartbeat, before anything is asked."""
        columns = self._columns.get(heartbeat.product)
        if columns is None:
            columns = self._columns[heartbeat.product] = _Columns()
        names = self._names
        columns.users.append(names.setdefault(heartbeat.user, len(names)))
        columns.machines.append(names.setdefault(heartbeat.machine, len(names)))
        columns.opened_at.append(heartbeat.opened_at)
        columns.ends.append(2 * heartbeat.at + (heartbeat.state != "close"))
        columns.ids.append(int(heartbeat.session[:_ID_DIGITS], 16))

    def features(self) -> set[str]:
        """As in ``HeardSessions``."""
        return {*self._columns}

    def accounts(self, *, of_production: bool = False) -> set[str]:  # noqa: ARG002 -- all are of production
        """As in ``HeardSessions``."""
        return {self._account} if self._columns else set()

    def span(self) -> tuple[int, int] | None:
        """As in ``HeardSessions``."""
        every = self._columns.values()
        if not every:
            return None
        return min(min(each.opened_at) for each in every), max(max(each.ends) for each in every) // 2

    def of(self, features: Collection[str], from_at: int, until_at: int) -> Iterator[Session]:
        """As in ``HeardSessions``."""
        for feature in features:
            columns = self._columns.get(feature)
            if columns is not None:
                yield from self._of(feature, columns, columns.open_in(from_at, until_at))

    def _of(self, feature: str, columns: _Columns, rows: NDArray[np.intp]) -> Iterator[Session]:
        """Sessions that two servers tell of are one; so those of a user are folded together."""
        names = [*self._names]
        for user, of_user in groupby(columns.rows(rows), key=itemgetter(0)):
            usage = UsageFold()
            for _, machine, opened_at, end, number in of_user:
                usage.add(self._heartbeat(feature, names[machine], names[user], number, opened_at, end), 0)
            yield from sessions_of(usage)

    def _heartbeat(self, feature: str, machine: str, user: str, number: int, opened_at: int, end: int) -> Heartbeat:
        at, is_beat = divmod(end, 2)
        return Heartbeat(
            account=self._account,
            product=feature,
            country="",
            usage=PRODUCTION,
            machine=machine,
            user=user,
            session=f"{number:0{_ID_DIGITS}x}",
            state="beat" if is_beat else "close",
            opened_at=opened_at,
            since=opened_at,
            at=at,
            resumed_at=opened_at,
            active_at=at,
            version="",
            platform="",
            host_session="",
        )

    def checkouts(self) -> Iterator[FeatureCheckout]:
        """As in ``HeardSessions``."""
        names, features = [*self._names], [*self._columns]
        if not features:
            return
        every = [columns.as_arrays() for columns in self._columns.values()]
        users, machines, opened_at, _, ids = (np.concatenate(parts) for parts in zip(*every, strict=True))
        feature = np.repeat(np.arange(len(every)), [len(columns[0]) for columns in every])
        order = np.lexsort((ids, machines, users, feature, opened_at))
        ordered = (column[order] for column in (feature, users, machines, opened_at, ids))
        rows = zip(*(column.tolist() for column in ordered), strict=True)
        for (number, user, machine, at, _), _ in groupby(rows):
            yield FeatureCheckout(features[number], names[user], names[machine], at)


class _Columns:
    """The sessions of one feature. ``ends`` are twice the last instant, and 1 more where it is one of use."""

    def __init__(self) -> None:
        self.users, self.machines = array("i"), array("i")
        self.opened_at, self.ends = array("q"), array("q")
        self.ids = array("Q")

    def as_arrays(self) -> tuple[NDArray[np.int64], ...]:
        return tuple(np.asarray(column) for column in (self.users, self.machines, self.opened_at, self.ends, self.ids))

    def open_in(self, from_at: int, until_at: int) -> NDArray[np.intp]:
        """The rows that were open in ``[from_at, until_at)``, by user."""
        users, _, opened_at, ends, _ = self.as_arrays()
        rows = np.flatnonzero((opened_at < until_at) & (np.maximum(ends // 2, opened_at + 1) > from_at))
        return rows[np.argsort(users[rows], kind="stable")]

    def rows(self, rows: NDArray[np.intp]) -> Iterator[tuple[int, ...]]:
        """User, machine, opening, end and id of some rows."""
        return zip(*(column[rows].tolist() for column in self.as_arrays()), strict=True)


def sessions_of(usage: UsageFold) -> list[Session]:
    """The sessions of a fold, those included that are known by their close alone: they ended as they were opened."""
    heard = sessions(usage.session_days())
    return [*heard, *_instants(heard, usage.closes())]


def _instants(heard: Iterable[Session], closes: Iterable[SessionClose]) -> Iterator[Session]:
    used = {session.key for session in heard}
    for key, closed_at in closes:
        if key not in used:
            yield Session(key, closed_at, closed_at, {}, {})
