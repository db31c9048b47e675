"""The percentage price: a term licence costs a share of the list price where the contract states no price (RULES 4).

RULES 4: "the unit price is stated in the contract, else a percentage (default 16) of the list price, rounded half up
to the currency's smallest unit, then multiplied."
"""

from __future__ import annotations

DEFAULT_TERM_LICENSE_PERCENT = 16
"""The percentage of the list price where the contract states neither a price nor a percentage."""


def unit_price(stated: int | None, list_price: int | None, percent: str | int | None) -> int | None:
    """A term licence's price in the smallest unit: as stated, else a percentage of the list price; ``None``: no price.

    ``percent`` is ``None`` where the contract states none.
    """
    if stated is not None or list_price is None:
        return stated
    return percent_of(list_price, DEFAULT_TERM_LICENSE_PERCENT if percent is None else percent)


def percent_of(minor: int, percent: str | int) -> int:
    """A percentage of an amount in the smallest unit, rounded half up to that unit.

    ``percent`` is a whole number or a decimal text such as ``"12.5"``; neither it nor ``minor`` is negative.
    """
    whole, _, decimals = str(percent).partition(".")
    hundredths: int = 100 * 10 ** len(decimals)
    return (2 * minor * int(whole + decimals) + hundredths) // (2 * hundredths)
