"""Statements as JSON and CSV (INTERFACES, Statement; ``schemas/statement.v1.schema.json``)."""

from __future__ import annotations

import csv
import io
from typing import Final

import orjson

from pipeline.model.instants import iso
from pipeline.model.money import format_money
from pipeline.model.statements import (
    Adjustment,
    Basis,
    ChargedWindow,
    FlexLine,
    Line,
    PooledLine,
    SeatLine,
    Statement,
    TokenBlock,
    VoidEntry,
)

VERSION: Final = 1
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


Value = str | int | None | list[str] | list[dict[str, str | int]]
Record = dict[str, Value]

COLUMNS: Final = (
    "product", "country", "model", "policy", "entitled",
    "peak", "peak_slots", "overuse", "overuse_slots", "overuse_days", "term_licenses", "unit_price", "amount",
    "users", "overflow", "charges", "tokens", "uncovered", "windows",
)  # fmt: skip
"""What a line of any model has to say, as CSV has it; a line leaves empty what its model does not know."""


def line_record(line: Line, currency: str) -> Record:
    """A line in the interface's names and order."""
    record: Record = {"product": line.product, "country": line.country, "model": line.model, "policy": line.policy}
    match line:
        case PooledLine():
            record |= _pooled(line, currency)
        case SeatLine():
            record |= {"entitled": line.entitled, "users": list(line.users)}
            record |= {} if line.overflow is None else {"overflow": line.overflow}
        case FlexLine():
            record |= {"charges": line.charges, "tokens": line.tokens, "uncovered": line.uncovered}
            record |= {"windows": [_window(one) for one in line.windows]}
    return record


def _window(one: ChargedWindow) -> dict[str, str | int]:
    return {"user": one.user, "start": iso(one.start_at), "tokens": one.tokens, "uncovered": one.uncovered}


def _pooled(line: PooledLine, currency: str) -> Record:
    return {
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
            "adjustments_total": format_money(statement.adjustments_total, currency),
            "basis": basis_record(statement.basis),
            "lines": [line_record(line, currency) for line in statement.lines],
            "tokens": _tokens(statement.tokens),
            "adjustments": [_adjustment(one, currency) for one in statement.adjustments],
            "voids": [_void(one) for one in statement.voids],
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def statement_csv(statement: Statement) -> str:
    """One row per line under the interface's names; lists are joined by spaces, nothing is there for ``None``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in statement.lines:
        record = line_record(line, statement.currency)
        writer.writerow([csv_cell(record.get(column)) for column in COLUMNS])
    return out.getvalue()


def csv_cell(value: object) -> object:
    """A value as a spreadsheet may see it: text that it would run as a formula is put behind an apostrophe."""
    if isinstance(value, list):
        return csv_cell(" ".join(_item(item) for item in value))
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def _item(item: object) -> str:
    return "/".join(str(part) for part in item.values()) if isinstance(item, dict) else str(item)


def _tokens(block: TokenBlock | None) -> dict[str, int]:
    block = block or TokenBlock(0, 0, 0, 0)
    return {
        "granted": block.granted, "debited": block.debited, "expired": block.expired, "balance": block.balance
    }  # fmt: skip


def _adjustment(one: Adjustment, currency: str) -> dict[str, str]:
    return {
        "period": one.period,
        "kind": one.kind,
        "product": one.product,
        "country": one.country,
        "model": one.model,
        "before": format_money(one.before, currency),
        "after": format_money(one.after, currency),
        "amount": format_money(one.amount, currency),
    }


def _void(one: VoidEntry) -> dict[str, str | None]:
    return {
        "id": one.id,
        "by": one.by,
        "at": iso(one.at),
        "reason": one.reason,
        "session": one.session,
        "product": one.product,
        "machine": one.machine,
        "user": one.user,
        "from": None if one.from_at is None else iso(one.from_at),
        "until": None if one.until_at is None else iso(one.until_at),
    }


def basis_record(basis: Basis) -> dict[str, str | int | None]:
    """What a statement rests on, in the interface's names."""
    return {
        "complete_until": None if basis.complete_until is None else iso(basis.complete_until),
        "heartbeats": basis.heartbeats,
        "dead_letters": basis.dead_letters,
        "contract": basis.contract,
        "seatbeat": basis.seatbeat,
        "engine": basis.engine,
    }
