"""A table of any width that never cuts or breaks a figure.

Rich makes a table that is too wide fit by cutting cells, figures too: ``114…`` for ``114240.00``. Here a column says
what it holds. Texts are broken into lines; figures and instants are shown whole, and where they do not fit beside each
other each row becomes a block: its first cell, and below it the others, each behind the name of its column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.style import StyleType
from rich.table import Column, Table
from rich.text import Text

TEXT_COLUMNS_MIN: Final = 14
"""Terminal columns below which a text is not broken."""
EDGE: Final = 3
"""Terminal columns that a column of a table takes beside its text."""
INDENT: Final = 2
GAP: Final = 3
_FIGURE: Final = re.compile(r"\W*\d[\d.,:%]*\W*", re.ASCII)


class FittedTable(Table):
    """Declare columns by what they hold, add rows as to any table of Rich, and print it."""

    def __init__(self, title: str | None = None) -> None:
        super().__init__(title=None if title is None else Text(title, style="table.title"), title_justify="left")

    def add_texts(self, *names: str) -> None:
        """Columns whose cells may be broken into lines."""
        for name in names:
            self.add_column(name, overflow="fold")

    def add_whole(self, *names: str) -> None:
        """Columns of instants, lengths of time and codes, whose cells stay in a line."""
        for name in names:
            self.add_column(name, no_wrap=True, overflow="fold")

    def add_figures(self, *names: str) -> None:
        """The same for figures, aligned at their last digit."""
        for name in names:
            self.add_column(name, no_wrap=True, overflow="fold", justify="right")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As a table where it fits, else as blocks."""
        fields = [_field(column) for column in self.columns]
        widths = _table_widths(fields, options.max_width)
        if widths is not None:
            for column, width in zip(self.columns, widths, strict=True):
                column.width = width
            yield from super().__rich_console__(console, options)
            return
        if self.title:
            yield Text(str(self.title), style="table.title", overflow="fold")
        for ordinal, row in enumerate(self.rows):
            yield from _block(fields, ordinal, options.max_width, row.style or "")


@dataclass(frozen=True, slots=True)
class _Field:
    """A column: its name, and the text of each row's cell. Widths are in terminal columns.

    ``cell_columns``: the widest cell. ``columns_min`` and ``columns_max``: how wide it is in a table.
    """

    name: str
    cells: tuple[str, ...]
    is_figure: bool
    cell_columns: int
    columns_min: int
    columns_max: int

    @property
    def block_columns(self) -> int:
        """In a block: the name, a space, the cell."""
        return cell_len(self.name) + 1 + self.cell_columns

    def pair(self, ordinal: int) -> str:
        """A row's cell behind the name; as wide for every row. An empty cell needs no name."""
        cell = self.cells[ordinal]
        missing = " " * (self.cell_columns - cell_len(cell))
        text = f"{self.name} {missing}{cell}" if self.is_figure else f"{self.name} {cell}{missing}"
        return text if cell else " " * self.block_columns

    def alone(self, ordinal: int, width: int) -> str:
        """The same in lines of its own, which may be too narrow for it: a cell is broken only where it must be."""
        cell, columns = self.cells[ordinal], cell_len(self.cells[ordinal])
        between = "\n" if columns <= width < cell_len(self.name) + 1 + columns else " "
        return f"{self.name}{between}{cell}" if cell else ""


def _field(column: Column) -> _Field:
    name = str(column.header)
    cells = tuple(cell.plain if isinstance(cell, Text) else Text.from_markup(str(cell)).plain for cell in column.cells)
    cell_columns = max(map(cell_len, cells), default=0)
    columns_max = columns_min = max(cell_columns, cell_len(name), 1)
    if not column.no_wrap:  # a part of a text is enough, but any figure in it is whole
        words = [word for cell in cells for word in cell.split() if _FIGURE.fullmatch(word)]
        columns_min = max(min(cell_columns, TEXT_COLUMNS_MIN), *map(cell_len, [*words, *name.split()]), 1)
    return _Field(name, cells, column.justify == "right", cell_columns, columns_min, columns_max)


def _table_widths(fields: Sequence[_Field], width: int) -> list[int] | None:
    """How wide the columns of a table are: the widest texts give way first. ``None`` where they cannot."""
    left = width - 1 - EDGE * len(fields)
    if sum(field.columns_min for field in fields) > left:
        return None
    widths = [field.columns_max for field in fields]
    while sum(widths) > left:
        _, widest = max((widths[at], at) for at, field in enumerate(fields) if widths[at] > field.columns_min)
        widths[widest] -= 1
    return widths


def _block(fields: Sequence[_Field], ordinal: int, width: int, style: StyleType) -> Iterator[Text | Padding]:
    yield Text(fields[0].cells[ordinal], style="bold", overflow="fold")
    for line in _lines([field for field in fields[1:] if field.cell_columns], width - INDENT):
        if len(line) == 1:
            text = line[0].alone(ordinal, width - INDENT)
        else:
            text = (" " * GAP).join(field.pair(ordinal) for field in line).rstrip()
        if text:
            yield Padding(Text(text, style=style, overflow="fold"), (0, 0, 0, INDENT), expand=False)


def _lines(fields: Sequence[_Field], width: int) -> Iterator[list[_Field]]:
    """The fields that stand in a line together, the same for every block, so that figures stand below each other."""
    line: list[_Field] = []
    taken = 0
    for field in fields:
        if line and taken + field.block_columns > width:
            yield line
            line, taken = [], 0
        line.append(field)
        taken += field.block_columns + GAP
    if line:
        yield line
