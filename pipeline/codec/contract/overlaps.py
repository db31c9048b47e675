"""Finding what contradicts itself in time: two values for one thing at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pipeline.codec.contract.entries import ContractEntry

Subject = TypeVar("Subject", bound=Hashable)
Said = TypeVar("Said", bound=Hashable)

_ALWAYS: Final = -(2**62)
_EVER: Final = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Claim(Generic[Subject, Said]):
    """Of ``subject`` it is said, in ``[from_at, until_at)``, that it is ``said``; ``None`` is without bound.

    ``entry`` is where that is said and ``order`` its rank in the file.
    """

    subject: Subject
    said: Said
    from_at: int | None
    until_at: int | None
    entry: ContractEntry
    order: int

    @property
    def start(self) -> int:
        return _ALWAYS if self.from_at is None else self.from_at

    @property
    def end(self) -> int:
        return _EVER if self.until_at is None else self.until_at


def contradictions(
    claims: Iterable[Claim[Subject, Said]],
) -> Iterator[tuple[Claim[Subject, Said], Claim[Subject, Said]]]:
    """Pairs of claims that say different things of one subject at one time: the later in the file, then the other.

    Each claim is compared with the longest of those begun before it that say something else, so that a thousand
    claims against one give a thousand pairs, not half a million.
    """
    by_subject: dict[Subject, list[Claim[Subject, Said]]] = {}
    for claim in claims:
        by_subject.setdefault(claim.subject, []).append(claim)
    for group in by_subject.values():
        longest: dict[Said, Claim[Subject, Said]] = {}
        for claim in sorted(group, key=lambda each: (each.start, each.order)):
            other = next(
                (each for said, each in longest.items() if said != claim.said and each.end > claim.start), None
            )
            if other is not None:
                yield (claim, other) if claim.order > other.order else (other, claim)
            if claim.said not in longest or claim.end > longest[claim.said].end:
                longest[claim.said] = claim
