"""Evidence of use: what a heartbeat says and what is stored of it (RULES 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

STATES: Final = frozenset({"open", "beat", "close"})
"""What a heartbeat may say of its session."""
USAGES: Final = frozenset({"production", "trial", "evaluation", "pre-activation"})
"""What a session may be used for."""
PRODUCTION: Final = "production"
"""The only usage that counts (RULES 1)."""


class Heartbeat(NamedTuple):
    """A valid, self-describing statement of a client: its session was in continuous use from ``since`` to ``at``.

    ``machine`` and ``user`` are folded (NFC and case folding). Optional texts are ``''`` where the client left
    them out. ``resumed_at`` and ``active_at`` are always set; a client that omits them was active throughout.
    """

    account: str
    product: str
    country: str
    usage: str
    machine: str
    user: str
    session: str
    state: str
    opened_at: int
    since: int
    at: int
    resumed_at: int
    active_at: int
    version: str
    platform: str
    host_session: str


class SessionKey(NamedTuple):
    """A session's identity (RULES 1): product and country as reported, ``''`` where absent."""

    account: str
    product: str
    country: str
    usage: str
    machine: str
    user: str
    session: str


@dataclass(frozen=True, slots=True)
class SessionDay:
    """The stored fact: what all evidence says of one session on one UTC day.

    ``day`` counts days since 1970-01-01. ``used_slots`` is a bit set: bit *n* is base slot *n* (0 to 143).
    ``stretches`` maps each ``resumed_at`` to its largest ``active_at``. Merging is min, max and union.
    """

    session: SessionKey
    day: int
    opened_at: int
    last_at: int
    used_slots: int
    stretches: Mapping[int, int]
    version: str
    received_min_at: int
    received_max_at: int


class SessionClose(NamedTuple):
    """The latest close that was received of a session; it ends live views and adds no evidence."""

    session: SessionKey
    closed_at: int
