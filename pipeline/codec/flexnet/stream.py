"""Overlapping files of one server as one stream: every line once, in the order it was written.

Files are joined one after the other. Lines from before all that is still to come are given out meanwhile, so memory
holds one file and what overlaps it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from pipeline.codec.flexnet.dates import Stamped

Slice = tuple[int, Iterable[Stamped]]
"""A file's smallest stamp, and its lines."""


def merge(files: Sequence[Slice], *, are_first: bool) -> Iterator[Stamped]:
    """The lines of one server's files, each once; none of the files is empty, the earliest comes first.

    ``are_first`` says that no other file of the server lies before these: only then may a later one hold the beginning.
    """
    (_, first), *others = files
    stream = _Stream(list(first))
    to_come = [*accumulate((earliest for earliest, _ in reversed(others)), min)]
    for _, lines in others:
        released = stream.release(to_come.pop())
        yield from released
        are_first = are_first and not released
        stream = stream.join(_Stream(list(lines)), may_follow=are_first)
    yield from stream.lines


class _Stream:
    """Lines in the order they were written.

    ``_latest`` is, for each line, the largest stamp up to it: in file order it never falls, so it orders lines of
    several files without disturbing the order within any. ``_earliest`` is the smallest stamp of all.
    """

    def __init__(self, lines: Sequence[Stamped]) -> None:
        self.lines: list[Stamped] = []
        self._latest: list[int] = []
        self._earliest = lines[0][0]
        self.append(lines)

    def release(self, before: int) -> list[Stamped]:
        """Let go of the lines that no line of ``before`` or later can be among or equal to."""
        count = bisect_left(self._latest, before)
        released = self.lines[:count]
        del self.lines[:count], self._latest[:count]
        return released

    def join(self, other: _Stream, *, may_follow: bool) -> _Stream:
        """Both as one: as slices of one log where one continues or holds the other, else interleaved by time."""
        orders = ((self, other), (other, self)) if may_follow else ((self, other),)
        for before, after in orders:
            overlap = before.overlap_with(after)
            if overlap is not None:
                before.append(after.lines[overlap:])
                return before
        self._interleave(other.lines)
        return self

    def append(self, lines: Iterable[Stamped]) -> None:
        latest = self._latest[-1] if self._latest else 0
        for stamped in lines:
            stamp = stamped[0]
            latest = max(latest, stamp)
            self._earliest = min(self._earliest, stamp)
            self.lines.append(stamped)
            self._latest.append(latest)

    def overlap_with(self, after: _Stream) -> int | None:
        """How many of the other's first lines are the last ones here, or lie within: the longest reading.

        0 where all of it is later; ``None`` where it is no continuation.
        """
        first, count = _key(after.lines[0]), len(self.lines)
        for start in range(bisect_left(self._latest, first[0]), count):
            if _key(self.lines[start]) == first:
                length = min(count - start, len(after.lines))
                if all(_key(self.lines[start + index]) == _key(after.lines[index]) for index in range(length)):
                    return length
        return 0 if not self._latest or after._earliest > self._latest[-1] else None

    def _interleave(self, lines: Sequence[Stamped]) -> None:
        """Add the lines of a file that are not here yet, each at its time and after those of its file before it."""
        start = bisect_left(self._latest, min(stamped[0] for stamped in lines))
        places: defaultdict[tuple[int, str, str], deque[int]] = defaultdict(deque)
        for stamped, latest in zip(self.lines[start:], self._latest[start:], strict=True):
            places[_key(stamped)].append(latest)
        ordered = list(zip(self._latest[start:], self.lines[start:], strict=True))
        position = 0
        for stamped in lines:
            position = max(position, stamped[0])
            same = places.get(_key(stamped))
            if same:
                position = max(position, same.popleft())
            else:
                ordered.append((position, stamped))
        ordered.sort(key=lambda placed: placed[0])
        del self.lines[start:], self._latest[start:]
        self.append(stamped for _, stamped in ordered)


def _key(stamped: Stamped) -> tuple[int, str, str]:
    """What makes two lines the same one: when they were written, and what they say."""
    stamp, message, *_ = stamped
    return stamp, message.daemon, message.text
