"""Practitioner lock: after each assignment a seat stays with its user for 30 days (RULES 5)."""

from __future__ import annotations

from typing import Final

import pytest

from pipeline.model.contracts import Contract, Entitlement, Product
from pipeline.model.instants import DAY_MS
from pipeline.model.orders import Assign, AssignableModel, Order, Release
from pipeline.rules.people.holders import People, people_of
from pipeline.rules.people.practitioner_lock import locked_until
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.order_shorthand import command, logged

MAY: Final = instant("2022-05-01 08:00")
UNLOCKED: Final = instant("2022-05-31 08:00")


def people(model: AssignableModel, *orders: Order) -> People:
    """The holders after orders, with a seat of a model."""
    seat = Entitlement(("STAAD",), "CZ", model, "bentley-select", 1, instant("2022-01-01 00:00"), None)
    contract = Contract("acme", "CZ", "EUR", "sha256:0", products={"STAAD": Product("STAAD")}, entitlements=(seat,))
    return people_of(contract, logged(*(command(order, f"c{number}") for number, order in enumerate(orders))))


def test_a_seat_is_locked_for_thirty_times_24_hours_after_its_assignment() -> None:
    assert locked_until("practitioner", MAY) == UNLOCKED


def test_a_single_users_seat_has_no_lock() -> None:
    assert locked_until("single_user", MAY) == MAY
    assert people("single_user", Assign("STAAD", "CZ", "jana", MAY), Release("STAAD", "CZ", "jana", MAY)).refused == ()


@pytest.mark.parametrize(
    "second", [Release("STAAD", "CZ", "jana", UNLOCKED - 1), Assign("STAAD", "CZ", "petr", UNLOCKED - 1, "jana")]
)
def test_a_locked_seat_is_neither_released_nor_taken_over_and_the_refusal_has_the_end(second: Order) -> None:
    outcome = people("practitioner", Assign("STAAD", "CZ", "jana", MAY), second)
    assert [(refused.code, refused.possible_at) for refused in outcome.refused] == [("locked", UNLOCKED)]
    assert [(holding.user, holding.until_at) for holding in outcome.holdings] == [("jana", None)]


@pytest.mark.parametrize(
    "second", [Release("STAAD", "CZ", "jana", UNLOCKED), Assign("STAAD", "CZ", "petr", UNLOCKED, "jana")]
)
def test_the_lock_ends_with_its_last_instant(second: Order) -> None:
    outcome = people("practitioner", Assign("STAAD", "CZ", "jana", MAY), second)
    assert outcome.refused == ()
    assert outcome.holdings[0].until_at == UNLOCKED


def test_a_take_over_locks_the_seat_again() -> None:
    outcome = people(
        "practitioner",
        Assign("STAAD", "CZ", "jana", MAY),
        Assign("STAAD", "CZ", "petr", UNLOCKED, "jana"),
        Assign("STAAD", "CZ", "jana", UNLOCKED + DAY_MS, "petr"),
    )
    assert [(refused.code, refused.possible_at) for refused in outcome.refused] == [("locked", UNLOCKED + 30 * DAY_MS)]
