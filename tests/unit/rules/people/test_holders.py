"""Refused entries of a contract's lists, in the light of later orders."""

from __future__ import annotations

from typing import Final

import pytest

from pipeline.model.contracts import Assignment, Contract, Entitlement, Product
from pipeline.model.instants import DAY_MS
from pipeline.model.orders import Assign, Order, Release
from pipeline.rules.people.holders import refused_entries
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.order_shorthand import command, logged

MAY: Final = instant("2022-05-01 08:00")
PRODUCTS: Final = {"STAAD": Product("STAAD")}
SEAT: Final = Entitlement(("STAAD",), "CZ", "single_user", "bentley-select", 1, instant("2022-01-01 00:00"), None)


def contract(*users: str) -> Contract:
    given = tuple(Assignment("STAAD", "CZ", user, MAY, None) for user in users)
    return Contract("acme", "CZ", "EUR", "sha256:0", products=PRODUCTS, entitlements=(SEAT,), assignments=given)


def refusals(judged: Contract, *orders: Order) -> list[tuple[int, str]]:
    log = logged(*(command(order, f"c{number}") for number, order in enumerate(orders)))
    return [(listed.place[1], refused.sentence) for listed, refused in refused_entries(judged, log)]


def test_an_entry_beyond_the_quantity_is_refused_with_its_reason() -> None:
    [(index, sentence)] = refusals(contract("jana", "petr"))
    assert index == 1
    assert sentence.startswith("no seat of STAAD in CZ (single user) is free")


def test_an_entry_is_not_listed_if_an_order_gave_its_user_a_seat() -> None:
    take_over = Assign("STAAD", "CZ", "petr", MAY + DAY_MS, "jana")
    assert refusals(contract("jana", "petr"), take_over) == []


def test_an_entry_that_has_become_possible_is_listed_as_such() -> None:
    [(_, sentence)] = refusals(contract("jana", "petr"), Release("STAAD", "CZ", "jana", MAY))
    assert sentence.endswith("; by now it is possible, as a command")


@pytest.mark.parametrize("order", [Assign("STAAD", "CZ", "zoe", MAY), Release("STAAD", "CZ", "eva", MAY)])
def test_orders_without_effect_do_not_change_the_refusal(order: Order) -> None:
    assert refusals(contract("jana", "petr"), order) == refusals(contract("jana", "petr"))


def test_orders_of_another_account_are_ignored() -> None:
    order = Release("STAAD", "CZ", "jana", MAY)
    log = logged(command(order, account="other"))
    assert refused_entries(contract("jana", "petr"), log) == refused_entries(contract("jana", "petr"))
