"""Warnings: what does not contradict itself but may cost money."""

from __future__ import annotations

import pytest

from tests.support.evidence.contract_shorthand import POOL, entitled, mistakes, warnings


def test_a_pooled_product_without_a_price_is_a_warning_and_with_strict_a_mistake() -> None:
    body = entitled(POOL, products="MSTN: {}")
    reason = "can be over-used but has no price: its term licences would be counted and stay out of the total"
    assert warnings(body) == [f"5 products.MSTN: {reason}"]
    assert mistakes(body) == []
    assert mistakes(body, strict=True) == [f"5 products.MSTN: {reason}"]


@pytest.mark.parametrize(
    "row",
    [
        "product: ACD, model: flex, daily_rate: 7, from: 2022-01-01",
        "product: ACD, model: pooled, policy: bentley-e365, quantity: 1, from: 2022-01-01",
        "product: ACD, model: pooled, quantity: 1, from: 2012-01-01, until: 2013-01-01",
    ],
)
def test_a_product_under_a_policy_without_term_licences_needs_no_price(row: str) -> None:
    assert mistakes(entitled(row, products="ACD: {}"), strict=True) == []


def test_a_plug_in_without_an_entitlement_needs_no_price() -> None:
    assert mistakes('products:\n  A: {term_license_price: "1.00"}\n  B: {plugin_of: A}\n', strict=True) == []


def test_seats_for_a_replaced_code_are_a_warning() -> None:
    products = 'MSTN: {list_price: "1.00"}, ORD: {list_price: "1.00", replaces: [MSTN]}'
    (warning,) = warnings(entitled(POOL, products=products))
    assert warning.startswith("7 entitlements[0]: use of MSTN counts as ORD by line 5")
