"""Sessions over several pieces of one server's log that are read in several runs, in whatever order.

A piece says which sessions it leaves open, which returns in it had nothing open, and when sessions from before it end
because their daemon or server ended. That is enough to know how a session that one piece leaves open goes on in those
behind it: an IN closes the oldest open session of its feature, user and host; the end of a daemon closes it; else it is
in use until the last stamp, as long as the pieces follow one another. What is found is evidence like any other, so
finding it again changes nothing.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pipeline.codec.flexnet.flexnet_log import LoggedHeartbeat, LogPiece, OpenSession, UnmatchedIn
from pipeline.codec.flexnet.messages import holder_of
from pipeline.codec.flexnet.server_replay import ALL_DAEMONS
from pipeline.codec.flexnet.session_heartbeats import heartbeats
from pipeline.model.instants import HOUR_MS, MINUTE_MS
from pipeline.model.text import fold

GAP_MS_MAX: Final = 6 * HOUR_MS + 10 * MINUTE_MS
"""A server stamps its log every six hours. Across a longer gap a piece is missing: only a return closes a session."""


def carried(account: str, pieces: Iterable[LogPiece]) -> Iterator[LoggedHeartbeat]:
    """Heartbeats of the sessions that a piece leaves open and others go on with. The same piece twice counts once."""
    by_server: defaultdict[str, list[LogPiece]] = defaultdict(list)
    for piece in dict.fromkeys(pieces):
        by_server[piece.server].append(piece)
    named = [server for server in by_server if server]
    if len(named) == 1 and "" in by_server:  # a piece without a start line is of the only server there is
        by_server[named[0]] += by_server.pop("")
    for of_server in by_server.values():
        ordered = sorted(of_server, key=lambda piece: (piece.first_at, piece.last_at))
        for number, piece in enumerate(ordered):
            if piece.opens:
                yield from _go_on(account, piece, ordered[number + 1 :])


def _go_on(account: str, piece: LogPiece, later: Sequence[LogPiece]) -> Iterator[LoggedHeartbeat]:
    left = list(piece.opens)
    end_at = piece.last_at
    for following in later:
        if following.last_at <= end_at or not left:
            continue
        is_missing_one = following.first_at > end_at + GAP_MS_MAX
        carry = [session for session in left if session.opened_at < following.first_at]
        still: list[OpenSession] = []
        for session, closed_at in _matched(carry, following.returns):
            ended_at = _ended_at(session, following)
            if closed_at is not None and (ended_at is None or closed_at <= ended_at):
                yield from _heartbeats(account, session, closed_at, is_closed=True)
            elif ended_at is not None:
                yield from _heartbeats(account, session, end_at if is_missing_one else ended_at, is_closed=True)
            elif not is_missing_one:
                yield from _heartbeats(account, session, following.last_at, is_closed=False)
                still.append(session)
            else:
                still.append(session)
        left = still
        if not is_missing_one:
            end_at = following.last_at


def _heartbeats(account: str, session: OpenSession, end_at: int, *, is_closed: bool) -> list[LoggedHeartbeat]:
    holder = holder_of(session.feature, session.user, session.host)
    return heartbeats(
        account, holder, session.opened_at, session.ordinal, session.source, session.line, 0, end_at,
        is_closed=is_closed,
    )  # fmt: skip


def _matched(sessions: Sequence[OpenSession], returns: Iterable[UnmatchedIn]) -> list[tuple[OpenSession, int | None]]:
    """Each session with the instant at which the last of its licences was given back, oldest first."""
    waiting: defaultdict[tuple[str, str, str], deque[list[int]]] = defaultdict(deque)
    for back in returns:
        waiting[back.feature, fold(back.user), fold(back.host)].append([back.at, back.licenses])
    matched: list[tuple[OpenSession, int | None]] = []
    for session in sorted(sessions, key=lambda session: (session.opened_at, session.ordinal)):
        queue = waiting[session.feature, fold(session.user), fold(session.host)]
        licenses, closed_at = session.licenses, None
        while licenses and queue:
            at, given_back = queue[0]
            taken = min(licenses, given_back)
            licenses -= taken
            queue[0][1] -= taken
            closed_at = at
            if not queue[0][1]:
                queue.popleft()
        matched.append((session, None) if licenses else (session, closed_at))
    return matched


def _ended_at(session: OpenSession, piece: LogPiece) -> int | None:
    """When a piece says that the daemon of a session from before it ended; ``None`` where it says nothing."""
    at = [at for daemon, at in piece.ends if daemon in {ALL_DAEMONS, session.daemon}]
    return max(min(at), session.opened_at) if at else None
