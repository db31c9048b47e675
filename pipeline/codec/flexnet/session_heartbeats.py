"""From checkouts to heartbeats: the ids of sessions, and sessions of more than 35 days in pieces."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from pipeline.codec.flexnet.flexnet_log import LoggedHeartbeat
from pipeline.codec.flexnet.messages import Holder, make
from pipeline.rules.evidence.span_limit import SPAN_MS_MAX

_HASHING: Final = blake2b(digest_size=16)
"""Copied for each hash, because making it with its size costs as much as hashing."""


def heartbeats(
    account: str,
    holder: Holder,
    opened_at: int,
    ordinal: int,
    source: str,
    line: int,
    order: int,
    end_at: int,
    *,
    is_closed: bool,
) -> list[LoggedHeartbeat]:
    """A session as one heartbeat, or as pieces of at most 35 days that follow one another without a gap.

    The cuts lie every 35 days from the opening, so a longer log does not move them. A session never ends before it
    began, even where the clock was set back. Its id is made from feature, user, host, opening, ordinal and piece: what
    a longer or overlapping log cannot change.
    """
    key = holder.key
    if end_at - opened_at <= SPAN_MS_MAX:
        session_id = _session_id(key, opened_at, ordinal, 0)
        return [_piece(account, holder, session_id, source, line, order, opened_at, end_at, is_closed)]
    pieces: list[LoggedHeartbeat] = []
    for piece, since in enumerate(range(opened_at, end_at, SPAN_MS_MAX)):
        at = min(since + SPAN_MS_MAX, end_at)
        session_id = _session_id(key, opened_at, ordinal, piece)
        is_last_closed = is_closed and at == end_at
        pieces.append(_piece(account, holder, session_id, source, line, order, since, at, is_last_closed))
    return pieces


def _piece(
    account: str,
    holder: Holder,
    session_id: str,
    source: str,
    line: int,
    order: int,
    since: int,
    at: int,
    is_closed: bool,
) -> LoggedHeartbeat:
    at = max(at, since)
    heartbeat: dict[str, int | str] = {
        "v": 1,
        "account": account,
        "product": holder.feature,
        "machine": holder.host,
        "user": holder.user,
        "session": session_id,
        "state": "close" if is_closed else "beat",
        "opened_at": since,
        "since": since,
        "at": at,
        "resumed_at": since,
        "active_at": at,
    }
    return make(LoggedHeartbeat, (heartbeat, source, line, order))


def _session_id(key: str, opened_at: int, ordinal: int, piece: int) -> str:
    opened, number, part = str(opened_at), str(ordinal), str(piece)
    return _hashed(f"{key}{len(opened)}:{opened}{len(number)}:{number}{len(part)}:{part}")


def digest(*parts: int | str) -> str:
    """128 bits of a tuple, each part behind its length: no two tuples are hashed as the same bytes."""
    return _hashed("".join([f"{len(text)}:{text}" for text in map(str, parts)]))


def _hashed(parts: str) -> str:
    hashing = _HASHING.copy()
    hashing.update(parts.encode())
    return hashing.hexdigest()
