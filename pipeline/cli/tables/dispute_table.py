"""Disputes with their state and comments, as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from pipeline.cli.tables.cells import literal
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.codec.reports.dispute_records import DisputeRecord


def print_disputes(screen: Console, records: Sequence[DisputeRecord]) -> None:
    """A table of an account's disputes, in the order in which they were opened."""
    table = FittedTable()
    table.add_texts("Id", "Line", "State", "Ticket")
    table.add_figures("Asked", "Granted")
    table.add_whole("Opened")
    table.add_texts("By", "Comments")
    for record in records:
        line = f"{record['period']} {record['product']} in {record['country']}"
        said = "; ".join(f"{comment['state']}, {comment['by']}: {comment['text']}" for comment in record["comments"])
        texts = (record["id"], line, record["state"], record["ticket"])
        table.add_row(
            *map(literal, texts), record["amount"], record["granted"], record["opened_at"], literal(record["by"]),
            literal(said),
        )  # fmt: skip
    screen.print(table)
    noun = "dispute" if len(records) == 1 else "disputes"
    screen.print(f"{len(records):,} {noun}; amounts in the contract's currency, times in UTC")
