"""Arithmetic of spans of time: what two lists have in common, and what is left of a list."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

_from_at: Final = attrgetter("from_at")


class Span(NamedTuple):
    """A time ``[from_at, until_at)``."""

    from_at: int
    until_at: int


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
    """Ordered, disjoint spans less what other spans take from them; these may overlap and come in any order."""
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
    """Whether ordered, disjoint spans leave nothing of another span."""
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
