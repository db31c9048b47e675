"""When a session is in use: stretches of activity, and where they are connected (RULES 6).

Everything here goes by event time, so duplicates, order and clients that were offline change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipeline.model.instants import BASE_SLOT_MS, DAY_MS
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.tokens.spans import Span, intersection


class Stretch(NamedTuple):
    """A stretch of activity ``[from_at, until_at)``, and where within it the session is connected, in order."""

    from_at: int
    until_at: int
    connected: tuple[Span, ...]


def activity(session: Session, idle_after_ms: int | None) -> list[Span]:
    """The stretches of activity of a session, in order; ``idle_after_ms`` is ``None`` without idle detection.

    A stretch within another is left out: it charges nothing that the other does not. A client whose ``resumed_at``
    differs from heartbeat to heartbeat would else have a list of what is a single stretch.
    """
    if idle_after_ms is None:
        return [Span(session.opened_at, session.last_at)]
    spans: list[Span] = []
    for resumed_at, active_at in sorted(session.stretches.items()):
        until_at = min(active_at + idle_after_ms, session.last_at)
        if not spans or until_at > spans[-1].until_at:
            spans.append(Span(resumed_at, until_at))
    return spans


def stretches(session: Session, spans: Iterable[Span]) -> list[Stretch]:
    """Stretches of a session with where each is connected: where a used slot, taken whole, overlaps it."""
    used = list(used_spans(session))
    return [Stretch(span.from_at, span.until_at, tuple(intersection((span,), used))) for span in spans]


def qualifies(stretch: Stretch | Span, free_connection_ms: int) -> bool:
    """Whether a stretch is charged: it is longer than the free connection, each stretch judged alone."""
    return stretch.until_at - stretch.from_at > free_connection_ms


def used_spans(session: Session) -> Iterator[Span]:
    """The used base slots of a session, slots that follow one another taken together."""
    from_at = until_at = 0
    for day in sorted(session.used_slots):
        mask, at = session.used_slots[day], day * DAY_MS
        while mask:
            skipped = (mask & -mask).bit_length() - 1
            mask >>= skipped
            length = (mask + 1 & ~mask).bit_length() - 1
            mask >>= length
            start_at = at + skipped * BASE_SLOT_MS
            at = start_at + length * BASE_SLOT_MS
            if start_at == until_at:
                until_at = at
                continue
            if until_at:
                yield Span(from_at, until_at)
            from_at, until_at = start_at, at
    if until_at:
        yield Span(from_at, until_at)
