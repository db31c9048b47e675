"""Latest assignments lose: if fewer seats are in force than assigned, the latest holders have none (RULES 5)."""

from __future__ import annotations

from typing import Final

from pipeline.model.contracts import Contract, Entitlement
from pipeline.model.instants import DAY_MS, Period
from pipeline.rules.people.assignments import Holding
from pipeline.rules.people.coverage import seat_coverage
from pipeline.rules.people.latest_assignments_lose import losers, lost_stretches
from tests.support.evidence.evidence_shorthand import instant

QUARTER: Final = Period.parse("2022Q2")
APRIL, MAY, JUNE = (instant(f"2022-0{month}-01 00:00") for month in (4, 5, 6))


def contract(*quantities: tuple[int, int, int | None]) -> Contract:
    """A contract with seats in force: how many, from when, until when."""
    entitlements = tuple(
        Entitlement(("STAAD",), "CZ", "practitioner", "bentley-select", quantity, from_at, until_at)
        for quantity, from_at, until_at in quantities
    )
    return Contract("acme", "CZ", "EUR", "sha256:0", entitlements=entitlements)


def holding(user: str, from_at: int, until_at: int | None = None) -> Holding:
    return Holding("STAAD", "CZ", "practitioner", user, from_at, until_at)


HELD: Final = (holding("eva", APRIL), holding("jana", APRIL + DAY_MS), holding("petr", APRIL + 2 * DAY_MS))
FALLS_AND_RISES: Final = contract((1, APRIL, None), (2, APRIL, MAY), (1, JUNE, None))


def users(holdings: tuple[Holding, ...], under: Contract) -> list[tuple[str, int, int]]:
    """Who is covered, from when, until when."""
    return [(stretch.user, stretch.from_at, stretch.until_at) for stretch in seat_coverage(under, holdings, QUARTER)]


def test_the_latest_assignments_are_without_a_seat() -> None:
    assert [[holder.user for holder in losers(HELD, seats, MAY)] for seats in (3, 2, 1, 0)] == [
        [],
        ["petr"],
        ["jana", "petr"],
        ["eva", "jana", "petr"],
    ]


def test_only_those_who_hold_a_seat_at_the_instant_lose_it() -> None:
    assert [*losers(HELD, 1, APRIL + DAY_MS)] == [HELD[1]]
    assert [*losers((holding("old", APRIL, MAY), *HELD), 3, MAY)] == []


def test_the_latest_lose_when_the_quantity_falls_and_regain_their_seats_when_it_rises() -> None:
    assert users(HELD, FALLS_AND_RISES) == [
        ("eva", APRIL, QUARTER.end_at),
        ("jana", APRIL + DAY_MS, MAY),
        ("jana", JUNE, QUARTER.end_at),
        ("petr", APRIL + 2 * DAY_MS, MAY),
    ]


def test_a_seat_that_becomes_free_goes_to_the_next_in_the_order_of_assignment() -> None:
    held = (holding("eva", APRIL, MAY), *HELD[1:])
    assert users(held, contract((1, APRIL, None))) == [("eva", APRIL, MAY), ("jana", MAY, QUARTER.end_at)]


def test_the_result_does_not_depend_on_how_ranges_are_split() -> None:
    coarse = lost_stretches(FALLS_AND_RISES, HELD, [APRIL + 2 * DAY_MS, MAY, JUNE, QUARTER.end_at])
    fine = lost_stretches(FALLS_AND_RISES, HELD, [APRIL + 2 * DAY_MS, MAY, MAY + DAY_MS, JUNE, QUARTER.end_at])
    total = {user.user: sum(until - since for since, until in lost) for user, lost in coarse.items()}
    assert total == {user.user: sum(until - since for since, until in lost) for user, lost in fine.items()}
    assert total == {"jana": JUNE - MAY, "petr": QUARTER.end_at - MAY}
