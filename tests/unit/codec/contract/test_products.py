"""Products of a contract: prices, plug-ins and replaced codes."""

from __future__ import annotations

import pytest

from tests.support.evidence.contract_shorthand import HEAD, mistakes, read


def test_a_term_license_price_takes_precedence_over_the_list_price() -> None:
    products = read('products:\n  A: {list_price: "10.00", term_license_price: "7.00"}\n').products
    assert products["A"].unit_price == 700


def test_the_default_percentage_is_sixteen_rounded_half_up() -> None:
    assert read('products:\n  A: {list_price: "0.53"}\n').products["A"].unit_price == 8
    assert read('products:\n  A: {list_price: "0.03", term_license_percent: 50}\n').products["A"].unit_price == 2


def test_old_codes_may_change_hands_and_direction_over_time() -> None:
    body = """\
        products:
          A: {replaces: [OLD, {code: B, until: 2022-01-01}]}
          B: {replaces: [{code: A, from: 2022-01-01}, OLDER]}
          C: {replaces: [{code: NEW, until: 2022-01-01}]}
          D: {replaces: [{code: NEW, from: 2022-01-01}, C]}
        """
    assert mistakes(body) == []


def test_a_circle_of_replacements_is_reported_at_each_of_its_products() -> None:
    body = "products:\n  A: {replaces: [OLD, C]}\n  B: {replaces: [A]}\n  C: {replaces: [B]}\n"
    assert [each.split(":")[0] for each in mistakes(body)] == [
        "5 products.A.replaces[1]",
        "6 products.B.replaces[0]",
        "7 products.C.replaces[0]",
    ]


def test_a_plug_in_of_a_plug_in_is_not_a_circle() -> None:
    assert mistakes("products:\n  A: {}\n  B: {plugin_of: A}\n  C: {plugin_of: B}\n") == []


@pytest.mark.parametrize(
    ("percent", "is_valid"),
    [
        ("1", True),
        ("100", True),
        ('"0.5"', True),
        ('"100.00"', True),
        ("0", False),
        ("101", False),
        ('"0.0"', False),
        ('"100.01"', False),
        ("12.5", False),
        ("true", False),
        ('"-1"', False),
    ],
)
def test_a_percentage_is_above_0_and_at_most_100(percent: str, is_valid: bool) -> None:
    reasons = mistakes(f'products:\n  A: {{list_price: "10.00", term_license_percent: {percent}}}\n')
    assert (reasons == []) is is_valid
    assert is_valid or len(reasons) == 1


def test_money_has_the_decimals_of_its_currency() -> None:
    dinar = HEAD.replace("EUR", "KWD")
    body = 'products:\n  A: {term_license_price: "1.125"}\n'
    assert read(body, dinar).products["A"].unit_price == 1_125
    assert len(mistakes(body)) == 1
