"""Latest assignments lose: while fewer seats are in force than are held, the latest holders have none (RULES 5).

RULES 5: "when the quantity falls, the latest assignments lose first". They have their seats again when it rises.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pipeline.model.contracts import Contract
from pipeline.rules.people.assignments import Holding
from pipeline.rules.pool.entitled import seats_at


def losers(held: Sequence[Holding], seats: int, at: int) -> Sequence[Holding]:
    """Those who hold a seat at an instant and have none, with ``seats`` in force. ``held`` is by assignment."""
    return [holding for holding in held if holding.holds(at)][seats:]


def lost_stretches(
    contract: Contract, held: Sequence[Holding], bounds: Iterable[int]
) -> dict[Holding, list[tuple[int, int]]]:
    """When holdings of the same model, product and country have no seat, by holding, ascending.

    ``held`` is in the order of assignment. Between two neighbours of ``bounds``, which ascend, no holding begins or
    ends and the quantity in force stays the same.
    """
    lost: dict[Holding, list[tuple[int, int]]] = {}
    if not held:
        return lost
    seats_of = held[0].product, held[0].country, held[0].model
    # Most stretches have seats enough. Counting holdings by bisection finds that without a look at each of them.
    starts = sorted(holding.from_at for holding in held)
    ends = sorted(holding.until_at for holding in held if holding.until_at is not None)
    for from_at, until_at in pairwise(bounds):
        seats = seats_at(contract, *seats_of, from_at)
        if bisect_right(starts, from_at) - bisect_right(ends, from_at) > seats:
            for holding in losers(held, seats, from_at):
                lost.setdefault(holding, []).append((from_at, until_at))
    return lost
