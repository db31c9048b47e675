"""A table of any width: figures and instants are whole, texts lose no character, no line is wider than the terminal."""

from __future__ import annotations

import io
import re

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from pipeline.cli.tables.fitted_table import FittedTable
from tests.support.process.processes import ROOT

FIGURES = st.integers(-(10**15), 10**15).map("{:,}".format) | st.sampled_from(["", "114240.00", "2022-05-17 14:20"])
NAMES = st.sampled_from(["Amount", "Term licences", "Peak", "First peak slot"])
TEXTS = st.text("ab @-.é", max_size=40).map(" ".join)


def shown(table: FittedTable, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(table)
    return file.getvalue()


@st.composite
def tables(draw: st.DrawFn) -> tuple[FittedTable, list[str]]:
    """A table of up to seven columns, and its figures."""
    table, figures, is_figure = FittedTable(draw(st.sampled_from([None, "A title"]))), list[str](), []
    for _ in range(draw(st.integers(1, 7))):
        is_figure.append(draw(st.booleans()))
        (table.add_figures if is_figure[-1] else table.add_texts)(draw(NAMES))
    for _ in range(draw(st.integers(0, 4))):
        row = [draw(FIGURES if figure else TEXTS) for figure in is_figure]
        table.add_row(*map(Text, row), style=draw(st.sampled_from(["", "bold"])))
        figures += [cell for cell, figure in zip(row, is_figure, strict=True) if figure]
    return table, figures


@given(tables(), st.integers(30, 200))
def test_every_figure_is_whole_and_every_line_fits(made: tuple[FittedTable, list[str]], width: int) -> None:
    table, figures = made
    lines = shown(table, width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert "…" not in "".join(lines)
    for figure in figures:
        assert any(re.search(rf"(?<!\S){re.escape(figure)}(?!\S)", line) for line in lines), figure


def test_a_table_that_fits_is_a_table_and_another_is_blocks_with_its_figures_below_each_other() -> None:
    table = FittedTable("2022Q2")
    table.add_texts("Product", "Country")
    table.add_figures("Peak", "Amount")
    table.add_row("MSTN", "CZ", "1,023", "114240.00")
    table.add_row("A-1", "", "6", "0.00")
    assert "│ MSTN    │ CZ      │ 1,023 │ 114240.00 │" in shown(table, 41)
    assert shown(table, 40) == (
        "2022Q2\nMSTN\n  Country CZ   Peak 1,023\n  Amount 114240.00\nA-1\n               Peak     6\n  Amount 0.00\n"
    )


def test_texts_give_way_first_the_widest_before_the_others() -> None:
    table = FittedTable()
    table.add_texts("Reason", "User")
    table.add_figures("Amount")
    table.add_row("as agreed with the vendor on the phone", "jana@acme.example", "114240.00")
    lines = shown(table, 61).splitlines()
    assert "│ as agreed with the vendor │ jana@acme.example │ 114240.00 │" in "".join(lines)


def test_a_figure_within_a_text_is_not_broken() -> None:
    table = FittedTable()
    table.add_texts("Order", "Reason")
    table.add_row("credit amount 123456789012345.00 EUR", "as agreed with the vendor on the phone")
    for width in (100, 60, 40, 30):
        assert "123456789012345.00" in shown(table, width)


def test_no_module_makes_a_table_that_could_cut_a_figure() -> None:
    making = [path.name for path in (ROOT / "pipeline").rglob("*.py") if "rich.table" in path.read_text("utf-8")]
    assert making == ["fitted_table.py"]
