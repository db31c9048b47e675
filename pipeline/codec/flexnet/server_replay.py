"""A server's books, replayed line by line: every OUT a session, every refusal a denial, nothing silently dropped.

Sessions belong to a server and a daemon. A server's start closes what is open on that server, a daemon's end what is
open of that daemon. Memory holds what is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from pipeline.codec.flexnet.dates import Stamped
from pipeline.codec.flexnet.events import REFUSALS, Event
from pipeline.codec.flexnet.flexnet_log import (
    Counts,
    DenialKind,
    LoggedDenial,
    LoggedHeartbeat,
    LogPiece,
    OpenSession,
    UnmatchedIn,
)
from pipeline.codec.flexnet.local_time import OFFSET_BLOCK_S, LocalTime
from pipeline.codec.flexnet.log_lines import BrokenLine
from pipeline.codec.flexnet.messages import Holder, LoggedMessage
from pipeline.codec.flexnet.ordinals import Ordinals
from pipeline.codec.flexnet.session_heartbeats import digest, heartbeats
from pipeline.model.instants import HOUR_MS, SECOND_MS

SESSIONS_PER_LINE: Final = 10
"""A checkout of n licences is n sessions up to here; beyond, the last of them stands for all the others.

They have one user, one machine and one opening, so under every policy that counts machines one is as good as all.
"""
ALL_DAEMONS: Final = "*"
_DENIALS: Final[dict[str, DenialKind]] = {
    "DENIED": "denied", "UNSUPPORTED": "unsupported", "QUEUED": "queued", "DEQUEUED": "dequeued",
}  # fmt: skip
Done = list[LoggedHeartbeat | LoggedDenial]
_Held = tuple[Holder, int, int, str, int, int, int, str]
"""A checkout whose licences are not all given back: its holder, opening, ordinal, file, line, order of its opening,
the licences that are left, and its daemon."""


class ServerReplay:
    """The lines of one server in order; ``replay``, then ``end``, give out what is finished."""

    def __init__(self, account: str, server: str, local_time: LocalTime, broken: list[BrokenLine]) -> None:
        self._account, self._server, self._local_time, self._broken = account, server, local_time, broken
        self._first_at: int | None = None
        self._latest_at: int | None = None
        self._by_host: defaultdict[str, dict[str, list[_Held]]] = defaultdict(dict)
        """What is open by the server's host, as a log may hold several servers one after the other, and by holder."""
        self._open = self._by_host[server]
        self._ordinals = Ordinals()
        self._denial_ordinals = Ordinals()
        self._ends: dict[str, int] = {}
        self.unmatched: list[UnmatchedIn] = []
        self._returns: list[UnmatchedIn] = []
        self._orders = self._in_lines = self._out_lines = self._denials = self._unreadable = 0
        self.has_bundles = False

    def replay(  # noqa: C901 -- the measured loop: a call more for each line is felt
        self, stream: Iterable[Stamped]
    ) -> Iterator[LoggedHeartbeat | LoggedDenial | BrokenLine]:
        """Replay the whole stream: behind each line what it finishes, then the lines that could not be read."""
        done: Done = []
        broken, take_out, bring_in = self._broken, self._take_out, self._bring_in
        block, offset_ms = -1, None
        for stamp, message, number, raw, source in stream:
            if stamp // OFFSET_BLOCK_S != block:
                block = stamp // OFFSET_BLOCK_S
                offset_ms = self._local_time.only_offset_ms(block)
            before_at = self._latest_at
            at = self._local_time.instant(stamp, before_at) if offset_ms is None else stamp * SECOND_MS - offset_ms
            move = message.move
            if not move and message.kind != "message":
                self._start_or_end(message, at if before_at is None else before_at, at, done)
            if self._first_at is None or at < self._first_at:
                self._first_at = at
            # A date stated far behind says that the clock had been wrong before it: the log ends where it stands now.
            if before_at is None or at > before_at or (message.day is not None and at < before_at - HOUR_MS):
                self._latest_at = at
            if move > 0:
                take_out(message, 1, at, source, number)
            elif move < 0:
                bring_in(message, 1, at, source, number, done)
            elif message.event is not None:
                self._take_event(message, at, source, number, raw, done)
            if done:
                yield from done
                done.clear()
            if broken:
                self._unreadable += len(broken)
                yield from broken
                broken.clear()

    def end(self) -> Iterator[LoggedHeartbeat]:
        """What is open at the end of the log is in use until its last stamp."""
        last_at = self._latest_at or 0
        for held in self._all_held():
            yield from self._heartbeats(held, last_at, is_closed=False)

    def counts(self) -> Counts:
        """What the event lines became so far."""
        return Counts(self._out_lines, self._in_lines, len(self.unmatched), self._denials, self._unreadable)

    def span(self) -> tuple[int, int]:
        """The first and the last instant of the log."""
        return self._first_at or 0, self._latest_at or 0

    def piece(self) -> LogPiece:
        """What this log means for other pieces of the same server's."""
        first_at, last_at = self.span()
        opens = tuple(map(_open_session, self._all_held()))
        return LogPiece(self._server, first_at, last_at, opens, tuple(self._returns), tuple(self._ends.items()))

    def _all_held(self) -> list[_Held]:
        every = [held for of_host in self._by_host.values() for queue in of_host.values() for held in queue]
        return sorted(every, key=lambda held: held[5])

    def _start_or_end(self, message: LoggedMessage, before_at: int, at: int, done: Done) -> None:
        """Close what a dead server or daemon left open: at the line that says so, else at the last stamp before."""
        if message.kind == "server_start":
            self._server = self._server or message.subject
            self._open = self._by_host[message.subject]
            self._ends.setdefault(ALL_DAEMONS, before_at)
            self._close_all(None, before_at, done)
        else:
            closed_at = at if message.kind == "daemon_end" else before_at
            if ALL_DAEMONS not in self._ends:
                self._ends.setdefault(message.subject, closed_at)
            self._close_all(message.subject, closed_at, done)

    def _close_all(self, daemon: str | None, at: int, done: Done) -> None:
        """Close what is open on this server, of one daemon or of all of them."""
        for holder, queue in list(self._open.items()):
            left = []
            for held in queue:
                if daemon is None or held[7] == daemon:
                    done += self._heartbeats(held, at, is_closed=True)
                else:
                    left.append(held)
            if left:
                self._open[holder] = left
            else:
                del self._open[holder]

    def _take_event(self, message: LoggedMessage, at: int, source: str, number: int, raw: bytes, done: Done) -> None:
        event = message.event
        if not isinstance(event, Event):
            self._broken.append(BrokenLine(source, number, raw, "unreadable_line", str(event)))
            return
        kind, before, licenses = event.kind, event.before, event.licenses
        if kind in REFUSALS:
            done.append(self._deny(message, event, at, source, number))
        elif kind == "OUT" or (kind == "UPGRADE" and licenses > before):
            self._take_out(message, licenses - before, at, source, number)
        elif event.is_shutdown:
            self._shut_down(message, at, done)
        else:
            self._bring_in(message, licenses if kind == "IN" else before - licenses, at, source, number, done)

    def _take_out(self, message: LoggedMessage, licenses: int, at: int, source: str, number: int) -> None:
        self._out_lines += 1
        holder, daemon, order = message.holder, message.daemon, self._orders
        key, sessions = holder.key, licenses
        if licenses > SESSIONS_PER_LINE:
            sessions, self.has_bundles = SESSIONS_PER_LINE, True
        ordinal = self._ordinals.take(key, at, sessions)
        queue = self._open.get(key)
        if queue is None:
            queue = self._open[key] = []
        self._orders = order + sessions
        for before in range(sessions - 1):
            queue.append((holder, at, ordinal + before, source, number, order + before, 1, daemon))
        before = sessions - 1
        queue.append((holder, at, ordinal + before, source, number, order + before, licenses - before, daemon))

    def _bring_in(self, message: LoggedMessage, licenses: int, at: int, source: str, number: int, done: Done) -> None:
        self._in_lines += 1
        key = message.holder.key
        queue = self._open.get(key)
        while queue and licenses:
            holder, opened_at, ordinal, out_source, out_line, order, left, daemon = queue[0]
            left -= licenses
            if left > 0:
                queue[0] = (holder, opened_at, ordinal, out_source, out_line, order, left, daemon)
                licenses = 0
            else:
                licenses = -left
                del queue[0]
                done += heartbeats(
                    self._account, holder, opened_at, ordinal, out_source, out_line, order, at, is_closed=True
                )
        if queue is not None and not queue:
            del self._open[key]
        if licenses:
            self._note_unmatched(message, licenses, at, source, number)

    def _shut_down(self, message: LoggedMessage, at: int, done: Done) -> None:
        """The daemon ends and gives back all that its user holds on this machine; a line for each feature says so."""
        self._in_lines += 1
        holder = message.holder
        for key in [key for key, queue in self._open.items() if queue[0][0].place == holder.place]:
            for held in self._open.pop(key):
                if held[7] == message.daemon or key == holder.key:
                    done += self._heartbeats(held, at, is_closed=True)
                else:
                    self._open.setdefault(key, []).append(held)

    def _heartbeats(self, held: _Held, end_at: int, *, is_closed: bool) -> list[LoggedHeartbeat]:
        holder, opened_at, ordinal, source, line, order, _, _ = held
        return heartbeats(self._account, holder, opened_at, ordinal, source, line, order, end_at, is_closed=is_closed)

    def _note_unmatched(self, message: LoggedMessage, licenses: int, at: int, source: str, number: int) -> None:
        feature, user, host, *_ = message.holder
        unmatched = UnmatchedIn(at, feature, user, host, licenses, source, number)
        self.unmatched.append(unmatched)
        if ALL_DAEMONS not in self._ends and message.daemon not in self._ends:
            self._returns.append(unmatched)

    def _deny(self, message: LoggedMessage, event: Event, at: int, source: str, number: int) -> LoggedDenial:
        self._denials += 1
        ordinal = self._denial_ordinals.take(message.text, at, 1)
        return LoggedDenial(
            id=digest(at, f"({message.daemon}) {message.text}", ordinal),
            kind=_DENIALS[event.kind],
            at=at,
            feature=event.feature,
            user=event.user,
            host=event.host,
            reason=event.reason,
            source=source,
            line=number,
        )


def _open_session(held: _Held) -> OpenSession:
    (feature, user, host, *_), opened_at, ordinal, source, line, _, licenses, daemon = held
    return OpenSession(daemon, feature, user, host, opened_at, ordinal, licenses, source, line)
