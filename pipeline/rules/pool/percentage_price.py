"""Prices of term licences in integers (RULES 4)."""

from __future__ import annotations

DEFAULT_TERM_LICENSE_PERCENT = 16
"""The share of the list price a term licence costs where the contract states neither price nor share (RULES 4)."""


def percent_of(minor: int, percent: str | int) -> int:
    """A percentage of an amount in the smallest unit, rounded half up to that unit (RULES 4).

    ``percent`` is a whole number or a decimal text such as ``"12.5"``; both it and ``minor`` are not negative.
    """
    whole, _, decimals = str(percent).partition(".")
    hundredths: int = 100 * 10 ** len(decimals)
    return (2 * minor * int(whole + decimals) + hundredths) // (2 * hundredths)
