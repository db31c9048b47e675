"""A statement: what one account used in one quarter, what it costs, and what that rests on (INTERFACES, Statement).

Money is in the currency's smallest unit; ``None`` where the product has no price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.model.contracts import EntitlementModel
from pipeline.model.instants import Period


@dataclass(frozen=True, slots=True)
class PooledLine:
    """Peak use of a product and country against what is entitled (RULES 3 and 4).

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
    model: EntitlementModel = "pooled"


@dataclass(frozen=True, slots=True)
class SeatLine:
    """Seats of a product and country that belong to people (RULES 5).

    ``entitled`` is the highest of the period. ``users`` of a ``named`` line are those who hold a seat, in the order
    they took it; of the other models those who held a seat in the period, by assignment. ``overflow`` counts the users
    for whom a named line had no seat, ``None`` for the other models.
    """

    product: str
    country: str
    model: Literal["named", "practitioner", "single_user"]
    policy: str
    entitled: int
    users: tuple[str, ...]
    overflow: int | None = None


@dataclass(frozen=True, slots=True)
class ChargedWindow:
    """A charge window that starts in the period: who, when, what packs paid, and what stayed uncovered."""

    user: str
    start_at: int
    tokens: int
    uncovered: int


@dataclass(frozen=True, slots=True)
class FlexLine:
    """Token charges of a product and country (RULES 6). ``windows``: by start and user, the first 100."""

    product: str
    country: str
    policy: str
    charges: int
    tokens: int
    uncovered: int
    windows: tuple[ChargedWindow, ...]
    model: Literal["flex"] = "flex"


Line = PooledLine | SeatLine | FlexLine
"""A line of a statement."""


@dataclass(frozen=True, slots=True)
class TokenBlock:
    """The ledger at the period's end, or now if that is earlier: granted = balance + debited + expired."""

    granted: int
    debited: int
    expired: int
    balance: int


AdjustmentKind = Literal["late_evidence", "void", "contract", "credit"]
"""Why a closed quarter comes to something else now."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a closed quarter's line comes to now, beyond what was frozen (RULES 7): ``amount = after - before``."""

    period: str
    kind: AdjustmentKind
    product: str
    country: str
    model: EntitlementModel
    before: int
    after: int

    @property
    def amount(self) -> int:
        """What is to be paid on top; negative where it is given back."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class VoidEntry:
    """An exclusion in force, as the statement shows it. Texts that are ``''`` are no condition."""

    id: str
    by: str
    at: int
    reason: str
    session: str
    product: str
    machine: str
    user: str
    from_at: int | None
    until_at: int | None


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
    lines: tuple[Line, ...]
    basis: Basis
    state: Literal["open", "closed"] = "open"
    tokens: TokenBlock | None = None
    adjustments: tuple[Adjustment, ...] = ()
    voids: tuple[VoidEntry, ...] = ()

    @property
    def pooled(self) -> tuple[PooledLine, ...]:
        """The lines that term licences can be due for."""
        return tuple(line for line in self.lines if isinstance(line, PooledLine))

    @property
    def total(self) -> int:
        """The sum of the amounts of all lines that have a price."""
        return sum(line.amount for line in self.pooled if line.amount is not None)

    @property
    def adjustments_total(self) -> int:
        """The sum of all adjustments of earlier quarters."""
        return sum(adjustment.amount for adjustment in self.adjustments)
