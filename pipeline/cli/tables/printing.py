"""Results on stdout as programs read them: JSON and CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable

from pipeline.codec.csv_text import csv_cell
from pipeline.codec.json_text import indented_json


def print_json(value: object) -> None:
    """A value as indented JSON."""
    sys.stdout.buffer.write(indented_json(value))


def print_csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A header and its rows as CSV (RFC 4180), with no text that a spreadsheet would run as a formula."""
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(value) for value in row] for row in rows)
