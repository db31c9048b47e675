"""A server's books, replayed line by line: every OUT a session, every refusal a denial, nothing silently dropped.

Sessions belong to a server and a daemon. A server's start closes what is open on that server, a daemon's end what is
open of that daemon. Memory holds what is open.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from pipeline.codec.flexnet.dates import LocalTime, Stamped
from pipeline.codec.flexnet.events import REFUSALS, Event, read_event
from pipeline.codec.flexnet.flexnet_log import (
    Counts,
    DenialKind,
    LoggedDenial,
    LoggedHeartbeat,
    LogPiece,
    OpenSession,
    UnmatchedIn,
)
from pipeline.codec.flexnet.log_lines import BrokenLine, Line
from pipeline.codec.flexnet.session_heartbeats import digest, heartbeats
from pipeline.model.instants import DAY_MS, HOUR_MS
from pipeline.model.text import fold

SESSIONS_PER_LINE: Final = 10
"""A checkout of n licences is n sessions up to here; beyond, the last of them stands for all the others.

They have one user, one machine and one opening, so under every policy that counts machines one is as good as all.
"""
TEXTS_REMEMBERED: Final = 50_000
"""The same few texts make up most of a log and are read once; beyond so many they are forgotten."""
ALL_DAEMONS: Final = "*"
_DENIALS: Final[dict[str, DenialKind]] = {
    "DENIED": "denied", "UNSUPPORTED": "unsupported", "QUEUED": "queued", "DEQUEUED": "dequeued",
}  # fmt: skip


class _Holder(NamedTuple):
    """Who holds what where, as compared: feature verbatim, user and host folded."""

    feature: str
    user: str
    host: str


class _Held:
    """A checkout whose licences are not all given back."""

    __slots__ = ("licenses", "order", "session")

    def __init__(self, session: OpenSession, order: int) -> None:
        self.session, self.order, self.licenses = session, order, session.licenses


_Open = dict[_Holder, deque[_Held]]


class ServerReplay:
    """The lines of one server in order. ``add`` and ``end`` give out what is finished."""

    def __init__(self, account: str, server: str, local_time: LocalTime, broken: list[BrokenLine]) -> None:
        self._account, self._server, self._local_time, self._broken = account, server, local_time, broken
        self._host = server
        self._first_at: int | None = None
        self._latest_at: int | None = None
        self._open: defaultdict[str, _Open] = defaultdict(dict)
        """By the server's host, as a log may hold several servers one after the other."""
        self._ordinals: dict[tuple[_Holder, int], int] = {}
        self._denial_ordinals: dict[tuple[int, str], int] = {}
        self._texts: dict[str, tuple[Event | str | None, _Holder | None]] = {}
        self._ends: dict[str, int] = {}
        self.unmatched: list[UnmatchedIn] = []
        self._returns: list[UnmatchedIn] = []
        self._orders = self._in_lines = self._out_lines = self._denials = self._broken_here = 0
        self.has_bundles = False

    def add(self, stamped: Stamped, done: list[LoggedHeartbeat | LoggedDenial]) -> None:
        """The next line of the stream; what it finishes is added to ``done``."""
        line, before_at = stamped.line, self._latest_at
        at = self._local_time.instant(stamped.stamp, before_at)
        if line.kind != "message":
            done += self._starts_or_ends(line, at if before_at is None else before_at, at)
        if self._first_at is None or at < self._first_at:
            self._first_at = at
        # A date stated far behind says that the clock had been wrong before it: the log ends where it stands now.
        if before_at is None or at > before_at or (line.day is not None and at < before_at - HOUR_MS):
            self._latest_at = at
        text = self._texts.get(line.text)
        event, holder = self._read(line.text) if text is None else text
        if event is None:
            return
        if isinstance(event, str) or holder is None:
            self._broken_here += 1
            self._broken.append(BrokenLine(stamped.source, line.number, line.raw, "unreadable_line", str(event)))
        elif event.kind in REFUSALS:
            done.append(self._deny(event, at, stamped))
        else:
            self._move(event, holder, at, stamped, done)

    def end(self) -> Iterator[LoggedHeartbeat]:
        """What is open at the end of the log is in use until its last stamp."""
        last_at = self._latest_at or 0
        for held in self._all_held():
            yield from heartbeats(self._account, held.session, last_at, held.order, is_closed=False)

    def counts(self) -> Counts:
        """What the event lines became so far."""
        return Counts(self._out_lines, self._in_lines, len(self.unmatched), self._denials, self._broken_here)

    def span(self) -> tuple[int, int]:
        """The first and the last instant of the log."""
        return self._first_at or 0, self._latest_at or 0

    def piece(self) -> LogPiece:
        """What this log means for other pieces of the same server's."""
        first_at, last_at = self.span()
        opens = tuple(held.session._replace(licenses=held.licenses) for held in self._all_held())
        return LogPiece(self._server, first_at, last_at, opens, tuple(self._returns), tuple(self._ends.items()))

    def _all_held(self) -> list[_Held]:
        every = [held for of_host in self._open.values() for queue in of_host.values() for held in queue]
        return sorted(every, key=lambda held: held.order)

    def _read(self, text: str) -> tuple[Event | str | None, _Holder | None]:
        event = read_event(text)
        holder = _Holder(event.feature, fold(event.user), fold(event.host)) if isinstance(event, Event) else None
        if len(self._texts) >= TEXTS_REMEMBERED:
            self._texts.clear()
        self._texts[text] = event, holder
        return event, holder

    def _starts_or_ends(self, line: Line, before_at: int, at: int) -> Iterator[LoggedHeartbeat]:
        """Close what a dead server or daemon left open: at the line that says so, else at the last stamp before."""
        if line.kind == "server_start":
            self._server = self._server or line.subject
            self._host = line.subject
            self._ends.setdefault(ALL_DAEMONS, before_at)
            yield from self._close_all(lambda _: True, before_at)
        else:
            closed_at = at if line.kind == "daemon_end" else before_at
            if ALL_DAEMONS not in self._ends:
                self._ends.setdefault(line.subject, closed_at)
            yield from self._close_all(lambda held: held.session.daemon == line.subject, closed_at)

    def _close_all(self, concerns: Callable[[_Held], bool], at: int) -> Iterator[LoggedHeartbeat]:
        of_host = self._open[self._host]
        for holder, queue in list(of_host.items()):
            left = deque[_Held]()
            for held in queue:
                if concerns(held):
                    yield from heartbeats(self._account, held.session, at, held.order, is_closed=True)
                else:
                    left.append(held)
            if left:
                of_host[holder] = left
            else:
                del of_host[holder]

    def _move(
        self, event: Event, holder: _Holder, at: int, line: Stamped, done: list[LoggedHeartbeat | LoggedDenial]
    ) -> None:
        if event.kind == "OUT" or event.licenses > event.before > 0:
            self._out_lines += 1
            self._take_out(event, holder, event.licenses - event.before, at, line)
            return
        self._in_lines += 1
        if event.is_shutdown:
            done += self._shut_down(holder, at, line)
        else:
            licenses = event.licenses if event.kind == "IN" else event.before - event.licenses
            self._bring_in(event, holder, licenses, at, line, done)

    def _take_out(self, event: Event, holder: _Holder, licenses: int, at: int, stamped: Stamped) -> None:
        line = stamped.line
        sessions = min(licenses, SESSIONS_PER_LINE)
        self.has_bundles = self.has_bundles or licenses > sessions
        ordinal = self._ordinals.get((holder, at), 0)
        self._ordinals[holder, at] = ordinal + sessions
        if len(self._ordinals) > TEXTS_REMEMBERED:
            self._ordinals = {key: value for key, value in self._ordinals.items() if key[1] > at - DAY_MS}
        queue = self._open[self._host].setdefault(holder, deque())
        for number in range(sessions):
            held = 1 if number < sessions - 1 else licenses - sessions + 1
            session = OpenSession(
                line.daemon,
                event.feature,
                event.user,
                event.host,
                at,
                ordinal + number,
                held,
                stamped.source,
                line.number,
            )
            queue.append(_Held(session, self._orders))
            self._orders += 1

    def _bring_in(
        self,
        event: Event,
        holder: _Holder,
        licenses: int,
        at: int,
        line: Stamped,
        done: list[LoggedHeartbeat | LoggedDenial],
    ) -> None:
        of_host = self._open[self._host]
        queue = of_host.get(holder)
        while queue and licenses:
            held = queue[0]
            given_back = min(licenses, held.licenses)
            held.licenses -= given_back
            licenses -= given_back
            if not held.licenses:
                queue.popleft()
                done += heartbeats(self._account, held.session, at, held.order, is_closed=True)
        if queue is not None and not queue:
            del of_host[holder]
        if licenses:
            self._note_unmatched(event, licenses, at, line)

    def _shut_down(self, holder: _Holder, at: int, stamped: Stamped) -> Iterator[LoggedHeartbeat]:
        """The daemon ends and gives back all that its user holds on this machine; a line for each feature says so."""
        of_host, whose = self._open[self._host], (holder.user, holder.host)
        for place in [place for place in of_host if (place.user, place.host) == whose]:
            for held in of_host.pop(place):
                if held.session.daemon == stamped.line.daemon or place == holder:
                    yield from heartbeats(self._account, held.session, at, held.order, is_closed=True)
                else:
                    of_host.setdefault(place, deque()).append(held)

    def _note_unmatched(self, event: Event, licenses: int, at: int, stamped: Stamped) -> None:
        line = stamped.line
        unmatched = UnmatchedIn(at, event.feature, event.user, event.host, licenses, stamped.source, line.number)
        self.unmatched.append(unmatched)
        if ALL_DAEMONS not in self._ends and line.daemon not in self._ends:
            self._returns.append(unmatched)

    def _deny(self, event: Event, at: int, stamped: Stamped) -> LoggedDenial:
        line = stamped.line
        self._denials += 1
        ordinal = self._denial_ordinals.get((at, line.text), 0)
        self._denial_ordinals[at, line.text] = ordinal + 1
        if len(self._denial_ordinals) > TEXTS_REMEMBERED:
            self._denial_ordinals = {key: value for key, value in self._denial_ordinals.items() if key[0] > at - DAY_MS}
        return LoggedDenial(
            id=digest(at, f"({line.daemon}) {line.text}", ordinal),
            kind=_DENIALS[event.kind],
            at=at,
            feature=event.feature,
            user=event.user,
            host=event.host,
            reason=event.reason,
            source=stamped.source,
            line=line.number,
        )
