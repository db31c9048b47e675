"""Connections that cost nothing, each with the reason, and the stretches that started a window (RULES 6 and 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.model.evidence import SessionKey
from pipeline.model.ledger_entries import Window
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.tokens.activity import activity, qualifies, stretches
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.spans import Span, intersection, without
from pipeline.rules.tokens.windows import charged_stretches

FreeReason = Literal[
    "not_production",  # trial, evaluation or pre-activation: stored and shown, never counted
    "plug_in_without_rate",  # a plug-in that has no rate at any time needs no licence
    "free_connection",  # no longer than the free connection
    "single_user_seat",  # covered by the user's own seat wherever it is connected
    "paid_window",  # within windows that other use had started, or not long enough outside them
]


@dataclass(frozen=True, slots=True)
class FreeConnection:
    """A stretch ``[from_at, until_at)`` of a session that costs nothing. ``product``: what its code counts for then."""

    session: SessionKey
    product: str
    country: str
    from_at: int
    until_at: int
    reason: FreeReason


def free_connections(
    sessions: Iterable[Session], windows: Iterable[Window], reading: TokenReading
) -> Iterator[FreeConnection]:
    """The stretches of products charged in tokens, and of their plug-ins, in which no window starts, in order."""
    starts: dict[tuple[str, str, str], list[int]] = {}
    for window in windows:
        starts.setdefault((window.product, window.country, window.user), []).append(window.start_at)
    for session in sorted(sessions, key=lambda session: (session.opened_at, session.key)):
        yield from _free_of(session, starts, reading)


def _free_of(
    session: Session, starts: dict[tuple[str, str, str], list[int]], reading: TokenReading
) -> Iterator[FreeConnection]:
    key, country = session.key, reading.country_of(session.key.country)
    code = reading.product_at(key.product, session.opened_at)
    charged = reading.charged(key.product, country)
    if not charged and not reading.is_free_plug_in(code, country):
        return
    policy = reading.policy_of(next(iter(charged)), country, session.opened_at) if charged else None
    idle_after_ms = policy.idle_after_ms if policy and reading.has_idle_detection(session) else None
    for stretch in stretches(session, activity(session, idle_after_ms)):
        product = reading.product_at(key.product, stretch.from_at)
        spans = charged.get(product, ())
        connected = list(intersection(stretch.connected, spans))
        reason: FreeReason | None = None
        if not session.is_production:
            reason = "not_production"
        elif policy is None:
            reason = "plug_in_without_rate"
        elif not connected:
            continue
        elif not qualifies(stretch, policy.free_connection_ms):
            reason = "free_connection"
        elif not list(without(connected, reading.seats_of(product, country, key.user))):
            reason = "single_user_seat"
        elif not _contains_start(connected, starts.get((product, country, key.user), ())):
            reason = "paid_window"
        if reason is not None:
            yield FreeConnection(key, product, country, stretch.from_at, stretch.until_at, reason)


def _contains_start(connected: Iterable[Span], starts: Sequence[int]) -> bool:
    return any(span.from_at <= at < span.until_at for span in connected for at in starts)


def causes(window: Window, sessions: Iterable[Session], reading: TokenReading) -> list[tuple[SessionKey, Span]]:
    """The stretches that were connected where a window starts: each of them alone would have made it start."""
    return [
        (session.key, Span(stretch.from_at, stretch.until_at))
        for session in sorted(sessions, key=lambda session: (session.opened_at, session.key))
        if session.key.user == window.user and reading.country_of(session.key.country) == window.country
        for stretch in charged_stretches(session, window.product, reading)
        if _contains_start(stretch.connected, (window.start_at,))
    ]
