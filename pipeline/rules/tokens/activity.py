"""When a session is in use: stretches of activity, and where they are connected (RULES 6).

Everything here goes by event time, so that clients that were offline, duplicates and order change nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from pipeline.model.instants import BASE_SLOT_MS, DAY_MS
from pipeline.rules.evidence.sessions import Session

_from_at: Final = attrgetter("from_at")


class Span(NamedTuple):
    """A time ``[from_at, until_at)``."""

    from_at: int
    until_at: int


class Stretch(NamedTuple):
    """A stretch of activity ``[from_at, until_at)``, and where within it the session is connected, in order."""

    from_at: int
    until_at: int
    connected: tuple[Span, ...]


def activity(session: Session, idle_after_ms: int | None) -> list[Span]:
    """The stretches of activity of a session, in order; ``idle_after_ms`` is ``None`` without idle detection."""
    if idle_after_ms is None:
        return [Span(session.opened_at, session.last_at)]
    return [
        Span(resumed_at, min(active_at + idle_after_ms, session.last_at))
        for resumed_at, active_at in sorted(session.stretches.items())
    ]


def stretches(session: Session, spans: Iterable[Span]) -> list[Stretch]:
    """Stretches of a session with where each is connected: where a used slot, taken whole, overlaps it."""
    used = list(used_spans(session))
    return [Stretch(one.from_at, one.until_at, tuple(intersection((one,), used))) for one in spans]


def qualifies(stretch: Stretch | Span, free_connection_ms: int) -> bool:
    """A stretch is charged for when it is longer than the free connection, each stretch alone."""
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


def intersection(left: Iterable[Span], right: Iterable[Span]) -> Iterator[Span]:
    """What two ordered lists of disjoint spans have in common, in order."""
    ours, theirs = list(left), list(right)
    i = j = 0
    while i < len(ours) and j < len(theirs):
        from_at = max(ours[i].from_at, theirs[j].from_at)
        until_at = min(ours[i].until_at, theirs[j].until_at)
        if from_at < until_at:
            yield Span(from_at, until_at)
        if ours[i].until_at < theirs[j].until_at:
            i += 1
        else:
            j += 1


def without(spans: Iterable[Span], taken: Iterable[Span]) -> Iterator[Span]:
    """Ordered, disjoint spans less what others take from them; those may overlap and come in any order."""
    taken_in_order = sorted(taken)
    if not taken_in_order:
        yield from spans
        return
    for span in spans:
        from_at = span.from_at
        for other in taken_in_order:
            if other.until_at <= from_at or other.from_at >= span.until_at:
                continue
            if other.from_at > from_at:
                yield Span(from_at, other.from_at)
            from_at = other.until_at
        if from_at < span.until_at:
            yield Span(from_at, span.until_at)


def covers(taken: Sequence[Span], span: Span) -> bool:
    """Whether ordered, disjoint spans leave nothing of another one."""
    place = bisect_right(taken, span.from_at, key=_from_at) - 1
    if place < 0:
        return False
    covered_until_at = taken[place].until_at
    while covered_until_at < span.until_at:
        place += 1
        if place == len(taken) or taken[place].from_at > covered_until_at:
            return False
        covered_until_at = taken[place].until_at
    return covered_until_at > span.from_at
