"""Orders and what became of them, as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from pipeline.cli.tables.cells import literal
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.codec.reports.outcome_records import OutcomeRecord


def print_orders(screen: Console, records: Sequence[OutcomeRecord]) -> None:
    """A table of an account's commands in log order."""
    table = FittedTable()
    table.add_whole("Received")
    table.add_texts("Id", "By", "Order", "Outcome")
    for record in records:
        texts = (record["id"], record["by"], record["what"], _outcome(record))
        table.add_row(record["received_at"], *map(literal, texts))
    screen.print(table)
    screen.print(f"{len(records):,} commands; times are UTC")


def refusal_text(record: OutcomeRecord) -> str:
    """Why an order changed nothing, and when it becomes possible."""
    possible = f"; possible from {record['possible_at']}" if record["possible_at"] else ""
    kind = "conflict" if record["outcome"] == "conflict" else f"refused, {record['code']}"
    return f"{kind}: {record['sentence']}{possible} (id {record['id']})"


def _outcome(record: OutcomeRecord) -> str:
    code = f": {record['code']}" if record["code"] not in {None, record["outcome"]} else ""
    return f"{record['outcome']}{code}"
