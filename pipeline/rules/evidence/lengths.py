"""How long evidence speaks of use: the length of a union of times, never a sum that counts an instant twice.

Stretches of activity are kept by when they began (RULES 1). A client whose ``resumed_at`` differs by a second from
heartbeat to heartbeat reports a stretch several times over, and sessions on a machine may be open at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.rules.evidence.sessions import Session


def union_ms(times: Iterable[tuple[int, int]]) -> int:
    """The length of the union of times ``[from_at, until_at)``, which may overlap and come in any order."""
    total_ms, covered_until_at = 0, None
    for from_at, until_at in sorted(times):
        counted_from_at = from_at if covered_until_at is None else max(from_at, covered_until_at)
        if until_at > counted_from_at:
            total_ms += until_at - counted_from_at
            covered_until_at = until_at
    return total_ms


def open_ms(session: Session) -> int:
    """How long a session was open: from its opening to its last evidence."""
    return session.last_at - session.opened_at


def active_ms(session: Session) -> int:
    """How long the user was active, at most ``open_ms``: heartbeats place every stretch within their session."""
    return union_ms(session.stretches.items())
