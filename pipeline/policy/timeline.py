"""Effective-dated values: the row in force at an instant is the last one that begins at or before it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from pipeline.model.instants import iso_date

_Value = TypeVar("_Value")


class BeforeFirstRow(LookupError):
    """A policy was asked for a date before its first row; that is an error, never a guess (RULES 2)."""


@dataclass(frozen=True, slots=True)
class Segment(Generic[_Value]):
    """``value`` holds in ``[from_at, until_at)``."""

    from_at: int
    until_at: int
    value: _Value


@dataclass(frozen=True, slots=True)
class Timeline(Generic[_Value]):
    """``rows`` are ``(from_at, value)`` with strictly ascending starts; the last one has no end."""

    name: str
    rows: tuple[tuple[int, _Value], ...]

    def __post_init__(self) -> None:
        starts = [from_at for from_at, _ in self.rows]
        if not starts or any(b <= a for a, b in pairwise(starts)):
            raise ValueError(f"the rows of {self.name} must begin at strictly ascending dates, at least one")

    @property
    def first_at(self) -> int:
        """When the first row begins; before it nothing is defined."""
        return self.rows[0][0]

    def at(self, at: int) -> _Value:
        """The value in force at an instant. Raises ``BeforeFirstRow``."""
        index = bisect_right(self.rows, at, key=lambda row: row[0]) - 1
        if index < 0:
            defined = f"policy {self.name} is defined from {iso_date(self.first_at)} on"
            raise BeforeFirstRow(f"{defined}; it says nothing of {iso_date(at)}")
        return self.rows[index][1]

    def segments(self, from_at: int, until_at: int) -> Iterator[Segment[_Value]]:
        """The values in force in ``[from_at, until_at)``, in order. Raises ``BeforeFirstRow``."""
        if from_at >= until_at:
            return
        start = from_at
        for starts_at, _ in self.rows:
            if from_at < starts_at < until_at:
                yield Segment(start, starts_at, self.at(start))
                start = starts_at
        yield Segment(start, until_at, self.at(start))
