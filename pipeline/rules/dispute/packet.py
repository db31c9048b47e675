"""The dispute packet of a term-licence line: what made it due, what speaks for whom, the line without it (RULES 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.model.instants import Period
from pipeline.model.statements import Basis, PooledLine
from pipeline.rules.dispute.flags import Flag
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.pool.overused_slots import OverusedSlot
from pipeline.rules.pool.term_licenses import overuse

LineKind = Literal["unlicensed", "over_pool"]
SubCategory = Literal["cancellation", "goodwill"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A session that counts in over-used slots: the slots' starts, ascending, and what speaks for it."""

    session: Session
    slots: tuple[int, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The line without the sessions that carry any of ``flags``; ``sessions`` is how many these are."""

    flags: tuple[Flag, ...]
    sessions: int
    line: PooledLine


@dataclass(frozen=True, slots=True)
class DaySeries:
    """Every slot of a UTC day with over-use: ``counts`` in order of time, each ``slot_ms`` long."""

    day: int
    slot_ms: int
    entitled: int
    counts: tuple[int, ...]

    @property
    def overuse(self) -> int:
        """The highest over-use of the day."""
        return overuse(max(self.counts), self.entitled)


@dataclass(frozen=True, slots=True)
class Packet:
    """Everything that a vendor's ticket about a line needs. ``evidence`` is sorted by opening.

    ``use_days`` is the number of UTC days on which anything counted. ``claimed`` is what is asked back, ``None``
    without a price. ``pseudonyms``: people, machines and sessions are numbered instead of named.
    """

    account: str
    period: Period
    currency: str
    product_name: str
    line: PooledLine
    kind: LineKind
    overused: tuple[OverusedSlot, ...]
    use_days: int
    evidence: tuple[Evidence, ...]
    alone: tuple[WhatIf, ...]
    together: WhatIf
    days: tuple[DaySeries, ...]
    subcategory: SubCategory
    claimed: int | None
    state: str
    basis: Basis
    invoice: str = ""
    pseudonyms: bool = False

    @property
    def flagged(self) -> int:
        """How many sessions carry a flag."""
        return self.together.sessions
