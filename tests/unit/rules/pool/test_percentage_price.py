"""The price of a term licence as a share of the list price (RULES 4)."""

from __future__ import annotations

import pytest

from pipeline.rules.pool.percentage_price import percent_of


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
