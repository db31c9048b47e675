"""The price of a term licence as a share of the list price (RULES 4)."""

from __future__ import annotations

import pytest

from pipeline.rules.pool.percentage_price import percent_of, unit_price


@pytest.mark.parametrize(
    ("minor", "percent", "expected"),
    [
        (600_000, 16, 96_000),
        (600_000, "16", 96_000),
        (600_000, "12.5", 75_000),
        (3, 50, 2),
        (1, 49, 0),
        (1, 50, 1),
        (53, 16, 8),
        (333, "0.5", 2),
        (1, "49.999999", 0),
        (0, 100, 0),
        (10**17 + 1, 100, 10**17 + 1),
    ],
)
def test_a_percentage_is_rounded_half_up_to_the_smallest_unit(minor: int, percent: str | int, expected: int) -> None:
    assert percent_of(minor, percent) == expected


@pytest.mark.parametrize(
    ("stated", "list_price", "percent", "expected"),
    [
        (100, 600_000, None, 100),
        (None, 600_000, None, 96_000),
        (None, 600_000, 10, 60_000),
        (None, 600_000, "12.5", 75_000),
        (None, None, None, None),
        (0, 600_000, None, 0),
    ],
)
def test_a_stated_price_takes_precedence_over_16_percent_of_the_list_price(
    stated: int | None, list_price: int | None, percent: str | int | None, expected: int | None
) -> None:
    assert unit_price(stated, list_price, percent) == expected
