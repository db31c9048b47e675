"""From checkouts to heartbeats: the ids of sessions, and sessions of more than 35 days in pieces."""

from __future__ import annotations

from hashlib import blake2b

from pipeline.codec.flexnet.flexnet_log import LoggedHeartbeat, OpenSession
from pipeline.model.text import fold
from pipeline.rules.evidence.span_limit import SPAN_MS_MAX


def heartbeats(
    account: str, session: OpenSession, end_at: int, order: int, *, is_closed: bool
) -> list[LoggedHeartbeat]:
    """A session as one heartbeat, or as pieces of at most 35 days that follow one another without a gap.

    The cuts lie every 35 days from the opening, so a longer log does not move them. A session never ends before it
    began, even where the clock was set back.
    """
    opened_at, end_at = session.opened_at, max(end_at, session.opened_at)
    last = max(0, (end_at - opened_at - 1) // SPAN_MS_MAX)
    pieces = []
    for piece in range(last + 1):
        since = opened_at + piece * SPAN_MS_MAX
        at = end_at if piece == last else since + SPAN_MS_MAX
        heartbeat: dict[str, int | str] = {
            "v": 1,
            "account": account,
            "product": session.feature,
            "machine": session.host,
            "user": session.user,
            "session": session_id(session, piece),
            "state": "close" if is_closed and piece == last else "beat",
            "opened_at": since,
            "since": since,
            "at": at,
            "resumed_at": since,
            "active_at": at,
        }
        pieces.append(LoggedHeartbeat(heartbeat, session.source, session.line, order))
    return pieces


def session_id(session: OpenSession, piece: int) -> str:
    """From feature, user, host, opening, ordinal and piece: what a longer or overlapping log cannot change."""
    feature, user, host = session.feature, fold(session.user), fold(session.host)
    opened_at, ordinal, number = str(session.opened_at), str(session.ordinal), str(piece)
    return _hashed(
        f"{len(feature)}:{feature}{len(user)}:{user}{len(host)}:{host}"
        f"{len(opened_at)}:{opened_at}{len(ordinal)}:{ordinal}{len(number)}:{number}"
    )


def digest(*parts: int | str) -> str:
    """128 bits of a tuple, each part prefixed with its length: no two tuples are hashed as the same bytes."""
    return _hashed("".join([f"{len(text)}:{text}" for text in map(str, parts)]))


def _hashed(prefixed: str) -> str:
    return blake2b(prefixed.encode(), digest_size=16).hexdigest()
