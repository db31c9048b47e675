"""What to put in quotes for a number where a text is meant: as it is written, or written out; it must then be valid."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from pipeline.codec.json_schema import Schema, Validator
from pipeline.codec.json_text import Json
from pipeline.model.money import minor_digits, parse_money

AMOUNT: Final = "an amount of money"
"""The title of an amount in the schema."""
_PERCENTAGE: Final = "a percentage"
_DIGITS_MAX: Final = 20
"""Before and after the point: what is longer is neither an amount nor a version."""


def quoted_value(written: str, value: Json, schema: Schema, validator: Validator, data: Json) -> str | None:
    """The text that the schema accepts for a value, such as ``1000.00`` for ``1e3``; ``None`` where there is none.

    ``data`` is the whole contract: amounts have the precision of its currency.
    """
    is_valid = validator.evolve(schema=schema).is_valid
    currency, digits = _currency(data), None
    if schema["title"] == AMOUNT:
        digits = minor_digits(currency)
    for text in (written, _written_out(written, value, digits)):
        if text and is_valid(text) and _is_sound(text, schema["title"], currency):
            return text
    return None


def example_amount(example: str, data: Json) -> str:
    """An amount with two decimals in the precision of the contract's currency: ``1150`` where that has none."""
    whole, digits = example.partition(".")[0], minor_digits(_currency(data))
    return f"{whole}.{'0' * digits}" if digits else whole


def _currency(data: Json) -> str:
    """The contract's currency; ``''``, which has two decimals, where it states none."""
    currency = data.get("currency") if isinstance(data, dict) else None
    return currency if isinstance(currency, str) else ""


def _is_sound(text: str, title: Json, currency: str) -> bool:
    """Whether a text of the right form also means something that is allowed."""
    if title == _PERCENTAGE:
        return 0 < Decimal(text) <= 100
    if title != AMOUNT:
        return True
    try:
        parse_money(text, currency)
    except ValueError:
        return False
    return True


def _written_out(written: str, value: Json, digits: int | None = None) -> str | None:
    """A number without an exponent, sign or base; with ``digits`` decimals, ``None`` where it has more of them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = Decimal(str(value) if isinstance(value, int) else written.replace("_", ""))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS_MAX or len(number.as_tuple().digits) > _DIGITS_MAX:
        return None
    if digits is None:
        return f"{number:f}"
    rounded = round(number, digits)
    return f"{rounded:f}" if rounded == number else None
