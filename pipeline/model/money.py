"""Money in the smallest unit of its currency: integers inside, decimal strings outside, never floats."""

from __future__ import annotations

import re
from typing import Final

MINOR_DIGITS: Final[dict[str, int]] = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
"""Currencies whose smallest unit is not a hundredth (ISO 4217, list one); all others have two digits."""

_DECIMAL: Final = re.compile(r"(\d{1,15})(?:\.(\d+))?", re.ASCII)


def minor_digits(currency: str) -> int:
    """How many decimals the currency's amounts have."""
    return MINOR_DIGITS.get(currency, 2)


def parse_money(text: str, currency: str) -> int:
    """``"1150.00"`` as 115000 for EUR. Raises ``ValueError`` for anything but that many decimals or fewer."""
    digits, match = minor_digits(currency), _DECIMAL.fullmatch(text)
    if match is None or len(match[2] or "") > digits:
        raise ValueError(f"{text!r} is not an amount of {currency} with at most {digits} decimals")
    return int(match[1] + (match[2] or "").ljust(digits, "0"))


def format_money(minor: int, currency: str) -> str:
    """115000 as ``"1150.00"`` for EUR, in the currency's own precision."""
    digits = minor_digits(currency)
    if digits == 0:
        return str(minor)
    whole, part = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}.{part:0{digits}}"
