"""Charge windows: what a user's use of a product is charged for (RULES 6).

A window starts at the first instant, at or after the end of the window before, at which a qualifying stretch is
connected, before the stretch's end. Settled windows never move, and other evidence is charged around them:

- Evidence is **late** where it lies before a settled window of the same key. Of each stretch the part between two
  settled windows must then be longer than the free connection, and a window that starts in it ends where the next
  settled window begins.
- After the last settled window of a key, evidence is charged as if all of it had come at once, however late it comes: a
  stretch that goes on beyond that window starts the next one where it ends.

So neither the time up to which everything is settled nor a stop between two postings changes a window.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from pipeline.model.instants import LATEST_AT
from pipeline.model.ledger_entries import Window
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.tokens.activity import Stretch, activity, qualifies, stretches
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.spans import Span, covers, intersection, without

_from_at: Final = attrgetter("from_at")
_until_at: Final = attrgetter("until_at")


class ChargeKey(NamedTuple):
    """Whose windows follow one another without overlap: a user's use of a product in a country."""

    product: str
    country: str
    user: str

    @classmethod
    def of(cls, window: Window) -> ChargeKey:
        """The key that a window is charged to."""
        return cls(window.product, window.country, window.user)


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
    key: ChargeKey, sessions: Iterable[Session], settled: Sequence[Span], reading: TokenReading
) -> list[Window]:
    """The windows of a key that are not settled yet, in order of start.

    ``settled`` are its settled windows, disjoint and in order.
    """
    charged = [
        stretch
        for session in sessions
        if session.key.user == key.user and reading.country_of(session.key.country) == key.country
        for stretch in charged_stretches(session, key.product, reading)
    ]
    return windows_of(key, charged, settled, reading)


def windows_of(
    key: ChargeKey, charged: Sequence[Stretch], settled: Sequence[Span], reading: TokenReading
) -> list[Window]:
    """As ``open_windows``, from the stretches that are charged to a key."""
    if not charged:
        return []
    first_at = min(stretch.from_at for stretch in charged)
    last_at = max(stretch.until_at for stretch in charged)
    first, last = bisect_right(settled, first_at, key=_until_at), bisect_left(settled, last_at, key=_from_at)
    next_start_at = settled[last].from_at if last < len(settled) else LATEST_AT
    windows: list[Window] = []
    free_from_at = first_at
    for next_settled in (*settled[first:last], Span(next_start_at, LATEST_AT)):
        gap = Span(free_from_at, next_settled.from_at)
        windows += _between(key, gap, charged, reading)
        free_from_at = next_settled.until_at
    return windows


def are_settled(stretches: Iterable[Stretch], settled: Sequence[Span]) -> bool:
    """Whether stretches are connected only within settled windows, so that no window can ever start in them."""
    return all(covers(settled, span) for stretch in stretches for span in stretch.connected)


def _between(key: ChargeKey, gap: Span, charged: Sequence[Stretch], reading: TokenReading) -> Iterator[Window]:
    """The windows between two settled ones, or after the last: that gap ends at ``LATEST_AT``."""
    free_from_at = gap.from_at
    starts_until_at = min(gap.until_at, max(stretch.until_at for stretch in charged))
    while free_from_at < starts_until_at:
        rest = Span(free_from_at, gap.until_at)
        starts = (_start(key, rest, stretch, reading) for stretch in charged)
        start_at = min((at for at in starts if at is not None), default=None)
        if start_at is None:
            return
        terms = reading.terms_at(key.product, key.country, start_at)
        if terms is None:
            raise AssertionError(f"{key} is charged at {start_at} without a rate in force")
        end_at = min(start_at + terms.policy.window_ms, gap.until_at)
        yield Window(*key, start_at, end_at, terms.rate, terms.policy.id)
        free_from_at = end_at


def _start(key: ChargeKey, gap: Span, stretch: Stretch, reading: TokenReading) -> int | None:
    """The first instant in a gap at which a stretch is connected and charged; ``None``: at no instant."""
    part = Span(max(stretch.from_at, gap.from_at), min(stretch.until_at, gap.until_at))
    if part.from_at >= part.until_at:
        return None
    is_late = gap.until_at < LATEST_AT
    if is_late:
        policy = reading.policy_of(key.product, key.country, part.from_at)
        if not qualifies(part, policy.free_connection_ms):
            return None
    return next(
        (
            max(connected.from_at, gap.from_at)
            for connected in stretch.connected
            if connected.until_at > gap.from_at and max(connected.from_at, gap.from_at) < part.until_at
        ),
        None,
    )
