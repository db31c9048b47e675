"""Charge windows: what a user's use of a product is charged for (RULES 6).

A window starts at the first instant, at or after the end of the one before, at which a qualifying stretch is
connected, before the stretch's end. Windows that are settled never move, and evidence is charged around them:

- What lies before a settled window, or begins at or before the end of what is settled, came **late**: of each stretch
  the part between two settled windows must be longer than the free connection, and a window that starts in it ends
  where the next settled one begins. A window so found counts as settled for the late evidence after it, so that being
  stopped between two postings changes nothing.
- What begins later is charged as if all evidence had come at once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from pipeline.model.instants import LATEST_AT
from pipeline.model.ledger_entries import Window
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.tokens.activity import Span, Stretch, activity, covers, intersection, qualifies, stretches, without
from pipeline.rules.tokens.rates import TokenReading

_from_at: Final = attrgetter("from_at")
_until_at: Final = attrgetter("until_at")


class ChargePool(NamedTuple):
    """What windows are counted by: one user's use of a product in a country."""

    product: str
    country: str
    user: str


def charged_stretches(session: Session, product: str, reading: TokenReading) -> Iterator[Stretch]:
    """The qualifying stretches of a session, connected where they are charged to a product and no seat covers them."""
    key = session.key
    country = reading.country_of(key.country)
    charged = reading.charged(key.product, country).get(product, ()) if session.is_production else ()
    if not charged:
        return
    seats = reading.seats_of(product, country, key.user)
    active = [
        span
        for span in activity(session, _idle_after_ms(session, product, country, reading))
        if qualifies(span, reading.policy_of(product, country, span.from_at).free_connection_ms)
    ]
    for stretch in stretches(session, active) if active else ():
        connected = tuple(without(intersection(stretch.connected, charged), seats))
        if connected:
            yield Stretch(stretch.from_at, stretch.until_at, connected)


def _idle_after_ms(session: Session, product: str, country: str, reading: TokenReading) -> int | None:
    if not reading.has_idle_detection(session):
        return None
    return reading.policy_of(product, country, session.opened_at).idle_after_ms


def open_windows(
    pool: ChargePool, sessions: Iterable[Session], settled: Sequence[Span], settled_until_at: int, reading: TokenReading
) -> list[Window]:
    """The windows of a pool that are not settled yet, in order of start.

    ``settled`` are the settled ones, disjoint and in order; all that start at or before ``settled_until_at`` are.
    """
    found = [
        stretch
        for session in sessions
        if session.key.user == pool.user and reading.country_of(session.key.country) == pool.country
        for stretch in charged_stretches(session, pool.product, reading)
    ]
    return windows_of(pool, found, settled, settled_until_at, reading)


def windows_of(
    pool: ChargePool, found: Sequence[Stretch], settled: Sequence[Span], settled_until_at: int, reading: TokenReading
) -> list[Window]:
    """As ``open_windows``, of the stretches that are charged to a pool."""
    if not found:
        return []
    first_at = min(stretch.from_at for stretch in found)
    last_at = max(stretch.until_at for stretch in found)
    first, last = bisect_right(settled, first_at, key=_until_at), bisect_left(settled, last_at, key=_from_at)
    next_start_at = settled[last].from_at if last < len(settled) else LATEST_AT
    windows: list[Window] = []
    free_from_at = first_at
    late_until_at = max(settled_until_at, settled[-1].from_at if settled else 0)
    for next_settled in (*settled[first:last], Span(next_start_at, LATEST_AT)):
        gap = Span(free_from_at, next_settled.from_at)
        windows += _between(pool, gap, found, late_until_at, reading)
        free_from_at = next_settled.until_at
    return windows


def are_settled(found: Iterable[Stretch], settled: Sequence[Span]) -> bool:
    """Whether stretches are connected within settled windows alone, so that no window can ever start in them."""
    return all(covers(settled, span) for stretch in found for span in stretch.connected)


def _between(
    pool: ChargePool, gap: Span, found: Sequence[Stretch], late_until_at: int, reading: TokenReading
) -> Iterator[Window]:
    """The windows between two settled ones."""
    free_from_at = gap.from_at
    starts_until_at = min(gap.until_at, max(stretch.until_at for stretch in found))
    while free_from_at < starts_until_at:
        starts = (_start(pool, Span(free_from_at, gap.until_at), one, late_until_at, reading) for one in found)
        start_at = min((at for at in starts if at is not None), default=None)
        if start_at is None:
            return
        terms = reading.terms_at(pool.product, pool.country, start_at)
        if terms is None:
            raise AssertionError(f"{pool} is charged at {start_at} without a rate in force")
        end_at = min(start_at + terms.policy.window_ms, gap.until_at)
        yield Window(*pool, start_at, end_at, terms.rate, terms.policy.id)
        free_from_at = end_at


def _start(pool: ChargePool, gap: Span, stretch: Stretch, late_until_at: int, reading: TokenReading) -> int | None:
    """The first instant in a gap at which a stretch is connected and charged, ``None`` without one."""
    part = Span(max(stretch.from_at, gap.from_at), min(stretch.until_at, gap.until_at))
    if part.from_at >= part.until_at:
        return None
    if part.from_at <= late_until_at:
        policy = reading.policy_of(pool.product, pool.country, part.from_at)
        if not qualifies(part, policy.free_connection_ms):
            return None
    return next(
        (
            max(one.from_at, gap.from_at)
            for one in stretch.connected
            if one.until_at > gap.from_at and max(one.from_at, gap.from_at) < part.until_at
        ),
        None,
    )
