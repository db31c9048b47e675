"""Results on stdout as programs read them: JSON and CSV, in UTF-8 whatever the terminal's encoding is."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable

from pipeline.codec.csv_text import csv_cell
from pipeline.codec.json_text import indented_json


def print_bytes(content: bytes) -> None:
    """A finished document as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def print_json(value: object) -> None:
    """A value as indented JSON."""
    print_bytes(indented_json(value))


def print_csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A header and its rows as CSV (RFC 4180), with no text that a spreadsheet would run as a formula."""
    sys.stdout.flush()
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows([csv_cell(value) for value in row] for row in rows)
    finally:
        out.detach()  # or the end of the wrapper would close stdout
