"""A statement: what one account used in one quarter, what it costs, and what that rests on (INTERFACES, Statement).

Money is in the currency's smallest unit; ``None`` where the product has no price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.model.contract import Model
from pipeline.model.instants import Period


@dataclass(frozen=True, slots=True)
class PooledLine:
    """Peak use of one product and country against what is entitled (RULES 3 and 4).

    ``peak_slots`` and ``overuse_slots``: the starts of the slots that reach the figure, ascending, the first 100.
    """

    product: str
    country: str
    policy: str
    entitled: int
    peak: int
    peak_slots: tuple[int, ...]
    overuse: int
    overuse_slots: tuple[int, ...]
    overuse_days: int
    term_licenses: int
    unit_price: int | None
    amount: int | None
    model: Model = "pooled"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a statement rests on. ``heartbeats`` counts valid deliveries, duplicates included.

    ``complete_until`` is ``None`` where nothing says up to when the evidence is complete.
    """

    complete_until: int | None
    heartbeats: int
    dead_letters: int
    contract: str
    seatbeat: str
    engine: Literal["embedded", "server"]


@dataclass(frozen=True, slots=True)
class Statement:
    """Lines sorted by product, country and model. ``total`` leaves out lines without an amount."""

    account: str
    period: Period
    currency: str
    lines: tuple[PooledLine, ...]
    basis: Basis
    state: Literal["open"] = "open"

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines if line.amount is not None)
