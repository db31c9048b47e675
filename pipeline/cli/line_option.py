"""``--line PRODUCT[/COUNTRY[/MODEL]]``: the lines of a statement that it names."""

from __future__ import annotations

from pipeline.codec.reports.letter_records import printable
from pipeline.model.errors import InputError
from pipeline.model.statements import Line, Statement


def named_lines(statement: Statement, text: str) -> tuple[Line, ...]:
    """The lines that a text names: ``MSTN``, ``MSTN/CZ`` or ``MSTN/CZ/named``. Raises ``InputError`` without any."""
    lines = tuple(line for line in statement.lines if text in _names(line))
    if lines:
        return lines
    names = ", ".join(_names(line)[-1] for line in statement.lines) or "none"
    reason = f"is no line of {statement.period.name}"
    raise InputError(f"--line {printable(text)}", reason, f"Its lines: {printable(names)}")


def _names(line: Line) -> tuple[str, str, str]:
    """What a line may be called, the most exact last."""
    return line.product, f"{line.product}/{line.country}", f"{line.product}/{line.country}/{line.model}"
