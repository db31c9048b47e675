"""What speaks for a session that made a term licence due: the flags of a dispute packet (RULES 7).

A session can carry several flags. They are judged by production use of the product as the contract reads it: use of a
replaced code is use of its successor, in whatever country it was reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Final, Literal, get_args

from pipeline.model.evidence import SessionKey
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS
from pipeline.rules.evidence.lengths import active_ms, open_ms
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.pool.reading import ContractReading

Flag = Literal[
    "accidental",  # the user's only session of the product that UTC day, at most 30 min, at most 5 min of activity
    "forgotten",  # no operation in its last 2 h
    "two_machines",  # its user has used slots in common on another machine
    "first_use",  # the account's first session of the product ever
]
FLAGS: Final[tuple[Flag, ...]] = get_args(Flag)

ACCIDENTAL_OPEN_MS_MAX: Final = 30 * MINUTE_MS
ACCIDENTAL_ACTIVE_MS_MAX: Final = 5 * MINUTE_MS
FORGOTTEN_MS_MIN: Final = 2 * HOUR_MS

SlotsOfDays = Mapping[int, int]
"""UTC days to the bit sets of base slots in use."""


def flags_of_sessions(
    reading: ContractReading,
    product: str,
    sessions: Iterable[Session],
    others: Iterable[Session],
    first: Set[SessionKey] = frozenset(),
) -> dict[SessionKey, tuple[Flag, ...]]:
    """The flags of each of ``sessions``, in the order of ``FLAGS``.

    ``others`` are the sessions of their users on the days of their use; it may hold ``sessions``, and those of other
    users and products. ``first`` are the account's first sessions of the product ever: several where several were
    opened at the same instant, none where nothing says which.
    """
    judged = list(sessions)
    by_user: dict[str, dict[SessionKey, SlotsOfDays]] = {}
    for session in (*judged, *others):
        if session.is_production and (used := use_of(reading, product, session)):
            by_user.setdefault(session.key.user, {})[session.key] = used
    return {
        session.key: tuple(_flags(session, use_of(reading, product, session), by_user.get(session.key.user, {}), first))
        for session in judged
    }


def use_of(reading: ContractReading, product: str, session: Session) -> SlotsOfDays:
    """The part of a session's use that is use of a product: replaced codes begin and end at midnight."""
    return {
        day: used
        for day, used in session.used_slots.items()
        if used and reading.product_at(session.key.product, day * DAY_MS) == product
    }


def _flags(
    session: Session, used: SlotsOfDays, of_user: Mapping[SessionKey, SlotsOfDays], first: Set[SessionKey]
) -> Iterable[Flag]:
    others = {key: use for key, use in of_user.items() if key != session.key}
    if _is_accidental(session) and not any(used.keys() & other.keys() for other in others.values()):
        yield "accidental"
    if _is_forgotten(session):
        yield "forgotten"
    elsewhere = (other for key, other in others.items() if key.machine != session.key.machine)
    if any(used[day] & other[day] for other in elsewhere for day in used.keys() & other.keys()):
        yield "two_machines"
    if session.key in first:
        yield "first_use"


def _is_accidental(session: Session) -> bool:
    """Whether a session is short enough; that it was the user's only session of its days is checked elsewhere."""
    return open_ms(session) <= ACCIDENTAL_OPEN_MS_MAX and active_ms(session) <= ACCIDENTAL_ACTIVE_MS_MAX


def _is_forgotten(session: Session) -> bool:
    """Whether the last operation lies 2 h or more before the last evidence. Opening a session is an operation."""
    last_operation_at = max(session.stretches.values(), default=session.opened_at)
    return session.last_at - last_operation_at >= FORGOTTEN_MS_MIN
