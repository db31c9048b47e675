"""The server's books, replayed line by line: every OUT a session, every refusal a denial, nothing silently dropped."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import chain
from typing import Final, NamedTuple

from pipeline.codec.flexnet.dates import LocalTime, Stamped
from pipeline.codec.flexnet.flexnet_log import FlexnetLog, LoggedDenial, LoggedHeartbeat, UnmatchedIn
from pipeline.codec.flexnet.log_lines import BrokenLine, Event, read_event
from pipeline.model.instants import HOUR_MS
from pipeline.model.text import fold
from pipeline.rules.evidence.span_limit import SPAN_MS_MAX


class _Place(NamedTuple):
    """Who holds what where, as compared: feature verbatim, user and host folded."""

    feature: str
    user: str
    host: str


_NOWHERE: Final = _Place("", "", "")


class _OpenSession(NamedTuple):
    out: Event
    place: _Place
    ordinal: int
    opened_at: int
    source: str
    line: int


class Replay:
    """One server's books. ``_open`` holds indexes into ``_sessions``, oldest first."""

    def __init__(self, account: str, local_time: LocalTime, first_stamp: int) -> None:
        self._account = account
        self._local_time = local_time
        self._first_at = self._latest_at = local_time.instant(first_stamp, None)
        self._sessions: list[_OpenSession] = []
        self._closed_at: dict[int, int] = {}
        self._open: defaultdict[_Place, deque[int]] = defaultdict(deque)
        self._ordinals: defaultdict[tuple[_Place, int], int] = defaultdict(int)
        self._denials: list[LoggedDenial] = []
        self._denial_ordinals: defaultdict[tuple[int, str], int] = defaultdict(int)
        self._unmatched: list[UnmatchedIn] = []
        self._broken: list[BrokenLine] = []
        self._read: dict[str, tuple[Event | str | None, _Place]] = {}

    def add(self, line: Stamped) -> None:
        """The next line of the stream. A start finds the books as the dead server left them at its last stamp."""
        if line.starts:
            for index in chain.from_iterable(self._open.values()):
                self._close(index, self._latest_at)
            self._open.clear()
        at = self._local_time.instant(line.stamp, self._latest_at)
        self._first_at = min(self._first_at, at)
        # A date stated far behind says that the clock had been wrong before it: the log ends where it stands now.
        set_back = line.dated and at < self._latest_at - HOUR_MS
        self._latest_at = at if set_back else max(self._latest_at, at)
        event, place = self._event(line.text)
        if isinstance(event, Event):
            self._enter(event, place, at, line)
        elif event is not None:
            self._broken.append(BrokenLine(line.source, line.number, line.raw, event))

    def log(self, broken: Iterable[BrokenLine]) -> FlexnetLog:
        """What the books say at the end of the stream, and ``broken`` from before it."""
        return FlexnetLog(
            sessions=tuple(chain.from_iterable(map(self._heartbeats, range(len(self._sessions))))),
            denials=tuple(self._denials),
            broken=tuple(sorted([*broken, *self._broken], key=lambda line: (line.source, line.line))),
            unmatched_ins=tuple(self._unmatched),
            first_at=self._first_at,
            last_at=self._latest_at,
        )

    def _event(self, text: str) -> tuple[Event | str | None, _Place]:
        """What a text states, and who is meant; the same few texts make up most of a log and are read once."""
        known = self._read.get(text)
        if known is None:
            event = read_event(text)
            place = _Place(event.feature, fold(event.user), fold(event.host)) if isinstance(event, Event) else _NOWHERE
            known = self._read[text] = event, place
        return known

    def _enter(self, event: Event, place: _Place, at: int, line: Stamped) -> None:
        if event.kind == "OUT":
            self._take_out(event, place, at, line)
        elif event.kind == "IN":
            self._bring_in(event, place, at, line)
        else:
            self._deny(event, at, line)

    def _take_out(self, out: Event, place: _Place, at: int, line: Stamped) -> None:
        for _ in range(out.licenses):
            ordinal = self._ordinals[place, at]
            self._ordinals[place, at] += 1
            self._open[place].append(len(self._sessions))
            self._sessions.append(_OpenSession(out, place, ordinal, at, line.source, line.number))

    def _bring_in(self, event: Event, place: _Place, at: int, line: Stamped) -> None:
        held = self._open[place]
        matched = min(event.licenses, len(held))
        for _ in range(matched):
            self._close(held.popleft(), at)
        if unmatched := event.licenses - matched:
            self._unmatched.append(
                UnmatchedIn(at, event.feature, event.user, event.host, unmatched, line.source, line.number)
            )

    def _deny(self, event: Event, at: int, line: Stamped) -> None:
        ordinal = self._denial_ordinals[at, line.text]
        self._denial_ordinals[at, line.text] += 1
        self._denials.append(
            LoggedDenial(
                id=_digest(at, line.text, ordinal),
                kind="denied" if event.kind == "DENIED" else "unsupported",
                at=at,
                feature=event.feature,
                user=event.user,
                host=event.host,
                reason=_inside_parentheses(event.remark),
                source=line.source,
                line=line.number,
            )
        )

    def _close(self, index: int, at: int) -> None:
        self._closed_at[index] = max(at, self._sessions[index].opened_at)

    def _heartbeats(self, index: int) -> Iterator[LoggedHeartbeat]:
        """A session as one heartbeat, or as pieces of at most 35 days that follow one another without a gap."""
        session, closed_at = self._sessions[index], self._closed_at.get(index)
        end_at = max(self._latest_at, session.opened_at) if closed_at is None else closed_at
        cuts = range(session.opened_at, end_at, SPAN_MS_MAX) or range(session.opened_at, end_at + 1)
        for piece, since in enumerate(cuts):
            last = piece == len(cuts) - 1
            at = end_at if last else since + SPAN_MS_MAX
            heartbeat: dict[str, int | str] = {
                "v": 1,
                "account": self._account,
                "product": session.out.feature,
                "machine": session.out.host,
                "user": session.out.user,
                "session": _session_id(session, piece),
                "state": "close" if last and closed_at is not None else "beat",
                "opened_at": since,
                "since": since,
                "at": at,
                "resumed_at": since,
                "active_at": at,
            }
            yield LoggedHeartbeat(heartbeat, session.source, session.line)


def _session_id(session: _OpenSession, piece: int) -> str:
    """From feature, user, host, opening, ordinal and piece: what a longer or overlapping log cannot change."""
    return _digest(*session.place, session.opened_at, session.ordinal, piece)


def _digest(*parts: int | str) -> str:
    """128 bits of a tuple, each part prefixed with its length: no two tuples are hashed as the same bytes."""
    prefixed = "".join([f"{len(text)}:{text}" for text in map(str, parts)])
    return blake2b(prefixed.encode(), digest_size=16).hexdigest()


def _inside_parentheses(remark: str) -> str:
    return remark[1:-1] if remark.startswith("(") and remark.endswith(")") else remark
