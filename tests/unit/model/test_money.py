"""Money is an integer in the smallest unit inside, and a decimal text outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.money import format_money, minor_digits, parse_money


@pytest.mark.parametrize(("currency", "digits"), [("JPY", 0), ("EUR", 2), ("XYZ", 2), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_its_own_number_of_decimals(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("text", "currency", "minor", "written"),
    [
        ("1150.00", "EUR", 115_000, "1150.00"),
        ("1150", "EUR", 115_000, "1150.00"),
        ("0.5", "EUR", 50, "0.50"),
        ("0.05", "EUR", 5, "0.05"),
        ("0", "EUR", 0, "0.00"),
        ("007", "EUR", 700, "7.00"),
        ("53", "JPY", 53, "53"),
        ("0", "JPY", 0, "0"),
        ("1.5", "KWD", 1_500, "1.500"),
        ("0.001", "KWD", 1, "0.001"),
        ("0.0001", "CLF", 1, "0.0001"),
        ("12.3456", "CLF", 123_456, "12.3456"),
    ],
)
def test_an_amount_is_read_and_written_in_its_currencys_precision(
    text: str, currency: str, minor: int, written: str
) -> None:
    assert parse_money(text, currency) == minor
    assert format_money(minor, currency) == written


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [(-5, "EUR", "-0.05"), (-115_000, "EUR", "-1150.00"), (-7, "JPY", "-7"), (-1, "CLF", "-0.0001")],
)
def test_a_negative_amount_begins_with_its_sign(minor: int, currency: str, written: str) -> None:
    assert format_money(minor, currency) == written


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.001", "EUR"),
        ("1.0", "JPY"),
        ("1.", "EUR"),
        (".5", "EUR"),
        ("-1", "EUR"),
        ("1,00", "EUR"),
        ("1e3", "EUR"),
        ("", "EUR"),
        (" 1", "EUR"),
        ("1\n", "EUR"),
        ("\u0661", "EUR"),
        ("1" * 16, "EUR"),
        ("1.00001", "CLF"),
    ],
)
def test_other_texts_are_refused_as_amounts(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match="is not an amount of"):
        parse_money(text, currency)


@given(st.integers(0, 10**15 - 1), st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_an_amount_survives_a_round_trip(minor: int, currency: str) -> None:
    assert parse_money(format_money(minor, currency), currency) == minor
