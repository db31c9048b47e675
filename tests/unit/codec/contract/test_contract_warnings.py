"""Warnings: what does not contradict itself but may cost money."""

from __future__ import annotations

import pytest

from pipeline.codec.contract.examination import examine_contract
from tests.support.evidence.contract_shorthand import HEAD, POOL, entitled, mistakes, warnings


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


PRICED = 'MSTN: {list_price: "1.00"}'


@pytest.mark.parametrize(
    ("currency", "remedy"),
    [
        ("EUE", 'Did you mean "EUR"? Correct it, unless it is meant.'),
        ("QQQ", "Correct it, unless it is meant."),
    ],
)
def test_a_currency_that_iso_4217_does_not_know_is_a_warning(currency: str, remedy: str) -> None:
    examined = examine_contract(HEAD.replace("EUR", currency).encode())
    (warning,) = examined.warnings
    assert examined.mistakes == ()
    assert (warning.line, warning.path, warning.remedy) == (3, "currency", remedy)
    assert warning.reason == f"ISO 4217 knows no currency {currency}; its amounts are read with 2 decimals"


@pytest.mark.parametrize("currency", ["JPY", "KWD", "XXX", "SKK", "ZWG"])
def test_a_currency_of_today_or_of_an_old_contract_is_none(currency: str) -> None:
    assert examine_contract(HEAD.replace("EUR", currency).encode()).warnings == ()


def test_a_quantity_of_0_beside_seats_that_stay_in_force_ends_nothing_and_is_a_warning() -> None:
    ended = POOL.replace("10, from: 2022", "0, from: 2023")
    assert warnings(entitled(POOL, ended, products=PRICED)) == [
        "8 entitlements[1]: a quantity of 0 ends nothing: the 10 of line 7 stay in force"
    ]
    assert warnings(entitled(f"{POOL}, until: 2023-01-01", ended, products=PRICED)) == []
    assert mistakes(entitled(f"{POOL}, until: 2023-01-01", ended, products=PRICED), strict=True) == []


def test_a_pack_that_an_order_would_have_to_confirm_is_a_warning() -> None:
    packs = "token_packs:\n" + "".join(
        f"  - {{id: P{tokens}, tokens: {tokens}, purchased_at: 2022-01-10}}\n" for tokens in (100_000, 100_001)
    )
    assert warnings(packs) == [
        "6 token_packs[1].tokens: 100001 tokens are more than 100000, and stay in the ledger for ever"
    ]
