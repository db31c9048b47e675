"""A statement's lines in the interface's names and order, written and read; money and instants are texts there."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from pipeline.model.instants import at_datetime, iso
from pipeline.model.money import format_money, minor_digits
from pipeline.model.statements import ChargedWindow, FlexLine, Line, PooledLine, SeatLine


class PooledLineRecord(TypedDict):
    """A line of the model ``pooled``; prices are ``null`` where the product has none."""

    product: str
    country: str
    model: Literal["pooled"]
    policy: str
    entitled: int
    peak: int
    peak_slots: list[str]
    overuse: int
    overuse_slots: list[str]
    overuse_days: int
    term_licenses: int
    unit_price: str | None
    amount: str | None


class SeatLineRecord(TypedDict):
    """A line of a model whose seats belong to people; ``overflow`` only where the model is ``named``."""

    product: str
    country: str
    model: Literal["named", "practitioner", "single_user"]
    policy: str
    entitled: int
    users: list[str]
    overflow: NotRequired[int]


class WindowRecord(TypedDict):
    """A charge window that starts in the period."""

    user: str
    start: str
    tokens: int
    uncovered: int


class FlexLineRecord(TypedDict):
    """A line of the model ``flex``."""

    product: str
    country: str
    model: Literal["flex"]
    policy: str
    charges: int
    tokens: int
    uncovered: int
    windows: list[WindowRecord]


LineRecord = PooledLineRecord | SeatLineRecord | FlexLineRecord
"""A line as JSON has it."""


def line_record(line: Line, currency: str) -> LineRecord:
    """A line as JSON has it."""
    match line:
        case PooledLine():
            return _pooled_record(line, currency)
        case SeatLine():
            return _seat_record(line)
        case FlexLine():
            return _flex_record(line)


def read_line(record: LineRecord, currency: str) -> Line:
    """The line that ``line_record`` wrote. Raises ``ValueError`` for money of another precision."""
    match record["model"]:
        case "pooled":
            return _read_pooled(record, currency)
        case "flex":
            return _read_flex(record)
        case _:
            return _read_seats(record)


def _pooled_record(line: PooledLine, currency: str) -> PooledLineRecord:
    return {
        "product": line.product,
        "country": line.country,
        "model": "pooled",
        "policy": line.policy,
        "entitled": line.entitled,
        "peak": line.peak,
        "peak_slots": [iso(slot_at) for slot_at in line.peak_slots],
        "overuse": line.overuse,
        "overuse_slots": [iso(slot_at) for slot_at in line.overuse_slots],
        "overuse_days": line.overuse_days,
        "term_licenses": line.term_licenses,
        "unit_price": None if line.unit_price is None else format_money(line.unit_price, currency),
        "amount": None if line.amount is None else format_money(line.amount, currency),
    }


def _read_pooled(record: PooledLineRecord, currency: str) -> PooledLine:
    unit_price, amount = record["unit_price"], record["amount"]
    return PooledLine(
        product=record["product"],
        country=record["country"],
        policy=record["policy"],
        entitled=record["entitled"],
        peak=record["peak"],
        peak_slots=tuple(map(read_instant, record["peak_slots"])),
        overuse=record["overuse"],
        overuse_slots=tuple(map(read_instant, record["overuse_slots"])),
        overuse_days=record["overuse_days"],
        term_licenses=record["term_licenses"],
        unit_price=None if unit_price is None else read_money(unit_price, currency),
        amount=None if amount is None else read_money(amount, currency),
    )


def _seat_record(line: SeatLine) -> SeatLineRecord:
    record: SeatLineRecord = {
        "product": line.product,
        "country": line.country,
        "model": line.model,
        "policy": line.policy,
        "entitled": line.entitled,
        "users": list(line.users),
    }
    if line.overflow is not None:
        record["overflow"] = line.overflow
    return record


def _read_seats(record: SeatLineRecord) -> SeatLine:
    return SeatLine(
        product=record["product"],
        country=record["country"],
        model=record["model"],
        policy=record["policy"],
        entitled=record["entitled"],
        users=tuple(record["users"]),
        overflow=record.get("overflow"),
    )


def _flex_record(line: FlexLine) -> FlexLineRecord:
    return {
        "product": line.product,
        "country": line.country,
        "model": "flex",
        "policy": line.policy,
        "charges": line.charges,
        "tokens": line.tokens,
        "uncovered": line.uncovered,
        "windows": [
            {
                "user": window.user,
                "start": iso(window.start_at),
                "tokens": window.tokens,
                "uncovered": window.uncovered,
            }
            for window in line.windows
        ],
    }


def _read_flex(record: FlexLineRecord) -> FlexLine:
    return FlexLine(
        product=record["product"],
        country=record["country"],
        policy=record["policy"],
        charges=record["charges"],
        tokens=record["tokens"],
        uncovered=record["uncovered"],
        windows=tuple(
            ChargedWindow(window["user"], read_instant(window["start"]), window["tokens"], window["uncovered"])
            for window in record["windows"]
        ),
    )


def read_instant(text: str) -> int:
    """The instant that ``iso`` wrote: whole seconds."""
    return at_datetime(datetime.fromisoformat(text))


def read_money(text: str, currency: str) -> int:
    """The amount that ``format_money`` wrote, of any size and sign. Raises ``ValueError`` for another precision."""
    whole, _, decimals = text.partition(".")
    if len(decimals) != minor_digits(currency):
        raise ValueError(f"{text} is not an amount of {currency}, which has {minor_digits(currency)} decimals")
    return int(whole + decimals)
