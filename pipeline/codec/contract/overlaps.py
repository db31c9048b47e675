"""Contradictions in time: two values for the same thing at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pipeline.codec.contract.entries import ContractEntry

_Subject = TypeVar("_Subject", bound=Hashable)
_Claimed = TypeVar("_Claimed", bound=Hashable)

_ALWAYS: Final = -(2**62)
_EVER: Final = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Claim(Generic[_Subject, _Claimed]):
    """``subject`` is ``claimed`` in ``[from_at, until_at)``; ``None`` is without bound.

    ``entry`` is where the contract claims it, and ``order`` its rank in the file.
    """

    subject: _Subject
    claimed: _Claimed
    from_at: int | None
    until_at: int | None
    entry: ContractEntry
    order: int

    @property
    def start(self) -> int:
        """``from_at`` as a number."""
        return _ALWAYS if self.from_at is None else self.from_at

    @property
    def end(self) -> int:
        """``until_at`` as a number."""
        return _EVER if self.until_at is None else self.until_at


def contradictions(
    claims: Iterable[Claim[_Subject, _Claimed]],
) -> Iterator[tuple[Claim[_Subject, _Claimed], Claim[_Subject, _Claimed]]]:
    """Pairs of claims that differ about the same subject at the same time: the later in the file, then the other.

    Each claim is compared only with the longest of those that begin before it and differ. So a thousand claims that
    contradict the same claim give a thousand pairs, not half a million.
    """
    by_subject: dict[_Subject, list[Claim[_Subject, _Claimed]]] = {}
    for claim in claims:
        by_subject.setdefault(claim.subject, []).append(claim)
    for group in by_subject.values():
        longest: dict[_Claimed, Claim[_Subject, _Claimed]] = {}
        for claim in sorted(group, key=lambda each: (each.start, each.order)):
            other = next(
                (each for claimed, each in longest.items() if claimed != claim.claimed and each.end > claim.start), None
            )
            if other is not None:
                yield (claim, other) if claim.order > other.order else (other, claim)
            if claim.claimed not in longest or claim.end > longest[claim.claimed].end:
                longest[claim.claimed] = claim
