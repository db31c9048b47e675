"""A statement as CSV: a row per line, under the interface's names."""

from __future__ import annotations

from typing import Final

from pipeline.codec.csv_text import csv_text
from pipeline.codec.statement.line_json import line_record
from pipeline.model.statements import Statement

LINE_COLUMNS: Final = (
    "product", "country", "model", "policy", "entitled",
    "peak", "peak_slots", "overuse", "overuse_slots", "overuse_days", "term_licenses", "unit_price", "amount",
    "users", "overflow", "charges", "tokens", "uncovered", "windows",
)  # fmt: skip
"""The fields of lines of every model. A line leaves those of other models empty."""


def statement_csv(statement: Statement) -> str:
    """A row per line; lists are joined by spaces, ``None`` is an empty cell."""
    return csv_text(LINE_COLUMNS, (line_record(line, statement.currency) for line in statement.lines))
