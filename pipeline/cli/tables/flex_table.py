"""Token charges as people read them: a table of the flex lines, and the ledger in one line."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from pipeline.cli.tables.output import shown
from pipeline.model.statements import FlexLine, Statement


def flex_table(statement: Statement) -> Table | None:
    """The flex lines of a statement, ``None`` without any; what no pack could pay stands out."""
    lines = [line for line in statement.lines if isinstance(line, FlexLine)]
    if not lines:
        return None
    table = Table(title="Charged in tokens", title_justify="left")
    for name in ("Product", "Country", "Policy"):
        table.add_column(name, overflow="fold")
    for name in ("Charges", "Tokens", "Uncovered"):
        table.add_column(name, justify="right")
    for line in lines:
        figures = (line.charges, line.tokens, line.uncovered)
        style = "bold" if line.uncovered else ""
        table.add_row(shown(line.product), line.country, line.policy, *(f"{one:,}" for one in figures), style=style)
    return table


def token_line(statement: Statement) -> Text | None:
    """What the ledger holds, ``None`` for an account without tokens."""
    block = statement.tokens
    if block is None:
        return None
    return Text(
        f"Tokens: {block.granted:,} granted, {block.debited:,} debited, {block.expired:,} expired, "
        f"balance {block.balance:,}"
    )
