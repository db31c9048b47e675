"""CSV that a spreadsheet may open: no cell is run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> str:
    """A header and a row per record; a field that a record lacks is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(record.get(column)) for column in columns] for record in records)
    return out.getvalue()


def csv_cell(value: object) -> object:
    """A value as a cell. Text that a spreadsheet would run as a formula begins with an apostrophe."""
    if isinstance(value, list):
        return csv_cell(" ".join(_item(item) for item in value))
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def _item(item: object) -> str:
    return "/".join(str(part) for part in item.values()) if isinstance(item, dict) else str(item)
