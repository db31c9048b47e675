"""Adjustments: what has changed of closed quarters, on the statement that is open (RULES 7).

A frozen statement is never rewritten. For each of its lines the adjustment is recomputed - frozen - adjustments
already frozen for that quarter. It is split into steps by its cause, which add up to the whole difference:

``late_evidence``  recomputed from today's evidence, with the voids, people and contract as of the close
``void``           the same with today's voids
``contract``       the same with today's contract and people: the contract corrected for the past, at the prices billed
``credit``         what a vendor granted in a dispute of the line

What closed quarters carry already is left out of each step by itself: a void that was carried once is not carried
again as late evidence that a void takes back.

A quarter's adjustments stand on the earliest quarter after it that is not closed. There is always such a quarter, and
the closes alone say which. What it is closed with is from then on frozen for the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from pipeline.model.contracts import Contract, EntitlementModel, Product
from pipeline.model.instants import Period
from pipeline.model.statements import Adjustment, AdjustmentKind, Line, PooledLine, Statement


class LineId(NamedTuple):
    """What identifies a line of a statement (INTERFACES, Statement)."""

    product: str
    country: str
    model: EntitlementModel


Amounts = Mapping[LineId, int]
"""Money of lines; a line that is not there is 0."""

ADJUSTMENT_STEPS: Final[tuple[AdjustmentKind, ...]] = ("late_evidence", "void", "contract", "credit")


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The lines of a closed quarter from today's evidence, each time with more of today's state.

    ``as_closed``: with voids, people and contract as of the close; ``with_voids``: with today's voids;
    ``with_contract``: with today's contract and people, too.
    """

    as_closed: tuple[Line, ...]
    with_voids: tuple[Line, ...]
    with_contract: tuple[Line, ...]
    granted: Amounts = field(default_factory=dict)


def at_billed_prices(today: Contract, billed: Iterable[Contract]) -> Contract:
    """A contract as it is read for a closed quarter: a product keeps the unit price at which it was billed.

    ``billed`` are the contracts of the quarter's close and of later quarters' closes after it, in log order. The first
    with a price for a product has billed it, at the close or as an adjustment. Where none has a price, today's applies.
    """
    products = dict(today.products)
    for contract in reversed([*billed]):
        for code, listed in contract.products.items():
            if listed.unit_price is not None:
                products[code] = replace(products.get(code, Product(code)), unit_price=listed.unit_price)
    return replace(today, products=products)


def amounts(lines: Iterable[Line]) -> dict[LineId, int]:
    """The money of statement lines. A line without a price is 0, and only pooled lines cost money."""
    return {
        LineId(line.product, line.country, line.model): line.amount or 0
        for line in lines
        if isinstance(line, PooledLine)
    }


def carrier_of(period: Period, closed: Collection[str]) -> Period:
    """The quarter whose statement carries a closed quarter's adjustments: the earliest after it that is open."""
    after = Period.containing(period.end_at)
    while after.name in closed:
        after = Period.containing(after.end_at)
    return after


def adjustments(
    frozen: Mapping[str, Statement], open_period: Period, recompute: Callable[[Statement], Recomputed]
) -> tuple[Adjustment, ...]:
    """What an open quarter's statement carries, by quarter, line and step. ``frozen``: every closed quarter's."""
    carried = [closed for closed in frozen.values() if carrier_of(closed.period, frozen) == open_period]
    return tuple(
        adjustment
        for closed in sorted(carried, key=lambda closed: closed.period.start_at)
        for adjustment in _of_quarter(closed, recompute(closed), frozen.values())
    )


def _of_quarter(closed: Statement, today: Recomputed, frozen: Iterable[Statement]) -> Iterable[Adjustment]:
    billed, carried = amounts(closed.lines), Counter[tuple[LineId, AdjustmentKind]]()
    for statement in frozen:
        for adjustment in statement.adjustments:
            if adjustment.period == closed.period.name:
                line = LineId(adjustment.product, adjustment.country, adjustment.model)
                carried[line, adjustment.kind] += adjustment.amount
    steps = {
        "late_evidence": (amounts(today.as_closed), billed),
        "void": (amounts(today.with_voids), amounts(today.as_closed)),
        "contract": (amounts(today.with_contract), amounts(today.with_voids)),
        "credit": ({}, today.granted),
    }
    lines = {line for after, before in steps.values() for line in (*after, *before)} | {line for line, _ in carried}
    for line in sorted(lines):
        due = billed.get(line, 0) + sum(carried[line, kind] for kind in ADJUSTMENT_STEPS)
        for kind in ADJUSTMENT_STEPS:
            after, before = steps[kind]
            amount = after.get(line, 0) - before.get(line, 0) - carried[line, kind]
            if amount:
                yield Adjustment(closed.period.name, kind, *line, before=due, after=due + amount)
            due += amount
