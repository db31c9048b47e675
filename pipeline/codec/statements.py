"""Statements as JSON and CSV (INTERFACES, Statement; ``schemas/statement.v1.schema.json``)."""

from __future__ import annotations

import csv
import io
from typing import Final, TypedDict

import orjson

from pipeline.model.instants import iso
from pipeline.model.money import format_money
from pipeline.model.statement import Basis, PooledLine, Statement

VERSION: Final = 1
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class LineRecord(TypedDict):
    """A pooled line as users and programs read it."""

    product: str
    country: str
    model: str
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


def line_record(line: PooledLine, currency: str) -> LineRecord:
    """A line in the interface's names and order."""
    return {
        "product": line.product,
        "country": line.country,
        "model": line.model,
        "policy": line.policy,
        "entitled": line.entitled,
        "peak": line.peak,
        "peak_slots": [iso(at) for at in line.peak_slots],
        "overuse": line.overuse,
        "overuse_slots": [iso(at) for at in line.overuse_slots],
        "overuse_days": line.overuse_days,
        "term_licenses": line.term_licenses,
        "unit_price": None if line.unit_price is None else format_money(line.unit_price, currency),
        "amount": None if line.amount is None else format_money(line.amount, currency),
    }


def statement_json(statement: Statement) -> bytes:
    """The statement as JSON, indented, with a line end."""
    currency = statement.currency
    return orjson.dumps(
        {
            "v": VERSION,
            "account": statement.account,
            "period": statement.period.name,
            "from": iso(statement.period.start_at),
            "until": iso(statement.period.end_at),
            "state": statement.state,
            "currency": currency,
            "total": format_money(statement.total, currency),
            "adjustments_total": format_money(0, currency),
            "basis": _basis(statement.basis),
            "lines": [line_record(line, currency) for line in statement.lines],
            "tokens": {"granted": 0, "debited": 0, "expired": 0, "balance": 0},
            "adjustments": [],
            "voids": [],
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def statement_csv(statement: Statement) -> str:
    """One row per line under the interface's names; lists are joined by spaces, nothing is there for ``None``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(LineRecord.__annotations__)
    for line in statement.lines:
        writer.writerow([csv_cell(value) for value in line_record(line, statement.currency).values()])
    return out.getvalue()


def csv_cell(value: object) -> object:
    """A value as a spreadsheet may see it: text that it would run as a formula is put behind an apostrophe."""
    if isinstance(value, list):
        return csv_cell(" ".join(str(item) for item in value))
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def _basis(basis: Basis) -> dict[str, str | int | None]:
    return {
        "complete_until": None if basis.complete_until is None else iso(basis.complete_until),
        "heartbeats": basis.heartbeats,
        "dead_letters": basis.dead_letters,
        "contract": basis.contract,
        "seatbeat": basis.seatbeat,
        "engine": basis.engine,
    }
