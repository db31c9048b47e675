"""A statement as people read it: a table per kind of line, its adjustments and voids, and what it rests on."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from pipeline.cli.tables.cells import literal, minute
from pipeline.cli.tables.console import console
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.cli.tables.printing import print_bytes
from pipeline.codec.statement.statement_csv import statement_csv
from pipeline.codec.statement.statement_json import statement_json
from pipeline.model.money import format_money
from pipeline.model.statements import FlexLine, PooledLine, SeatLine, Statement

_NO_PRICE: Final = "no price"


def print_statement(statement: Statement, output: str) -> None:
    """The statement on stdout, and nothing else: ``output`` is ``json``, ``csv`` or ``table``."""
    if output == "json":
        print_bytes(statement_json(statement))
    elif output == "csv":
        print_bytes(statement_csv(statement).encode())
    else:
        screen = console()
        screen.print(pooled_table(statement))
        tables = seat_table(statement), flex_table(statement), adjustment_table(statement), void_table(statement)
        for part in (*tables, token_total(statement)):
            if part is not None:
                screen.print(part)
        screen.print(statement_footer(statement))


def pooled_table(statement: Statement) -> FittedTable:
    """The pooled lines of a statement under its title; over-use stands out."""
    period = f"{minute(statement.period.start_at)[:10]} to {minute(statement.period.end_at - 1)[:10]}, UTC"
    table = FittedTable(f"{statement.account}, {statement.period.name} ({period}), {statement.state}")
    table.add_texts("Product", "Country")
    table.add_whole("Policy")
    table.add_figures("Entitled", "Peak")
    table.add_whole("First peak slot")
    table.add_figures("Over-use", "Days", "Term licences", "Unit price", "Amount")
    for line in statement.pooled:
        table.add_row(*_pooled_cells(line, statement.currency), style="bold" if line.overuse else "")
    return table


def seat_table(statement: Statement) -> FittedTable | None:
    """The seats tied to people, with the users who found none left; ``None`` without any."""
    lines = [line for line in statement.lines if isinstance(line, SeatLine)]
    if not lines:
        return None
    table = FittedTable("Seats tied to people")
    table.add_texts("Product", "Country", "Model")
    table.add_whole("Policy")
    table.add_figures("Entitled", "Held", "Overflow")
    table.add_texts("Users")
    for line in lines:
        overflow = "" if line.overflow is None else str(line.overflow)
        table.add_row(
            literal(line.product), line.country, line.model.replace("_", " "), line.policy, str(line.entitled),
            str(len(line.users)), overflow, literal(", ".join(line.users)), style="bold" if line.overflow else "",
        )  # fmt: skip
    return table


def flex_table(statement: Statement) -> FittedTable | None:
    """The lines charged in tokens, ``None`` without any; what no pack could pay stands out."""
    lines = [line for line in statement.lines if isinstance(line, FlexLine)]
    if not lines:
        return None
    table = FittedTable("Charged in tokens")
    table.add_texts("Product", "Country")
    table.add_whole("Policy")
    table.add_figures("Charges", "Tokens", "Uncovered")
    for line in lines:
        figures = (f"{figure:,}" for figure in (line.charges, line.tokens, line.uncovered))
        style = "bold" if line.uncovered else ""
        table.add_row(literal(line.product), line.country, line.policy, *figures, style=style)
    return table


def adjustment_table(statement: Statement) -> FittedTable | None:
    """What a statement carries for closed quarters; ``None`` without any."""
    if not statement.adjustments:
        return None
    table = FittedTable("Adjustments of closed quarters")
    table.add_texts("Quarter", "Kind", "Product", "Country", "Model")
    table.add_figures("Before", "After", "Amount")
    for adjustment in statement.adjustments:
        amounts = adjustment.before, adjustment.after, adjustment.amount
        table.add_row(
            adjustment.period, adjustment.kind.replace("_", " "), literal(adjustment.product), adjustment.country,
            adjustment.model.replace("_", " "), *(format_money(minor, statement.currency) for minor in amounts),
        )  # fmt: skip
    return table


def void_table(statement: Statement) -> FittedTable | None:
    """The voids that a statement was computed under; ``None`` without any."""
    if not statement.voids:
        return None
    table = FittedTable("Left out by voids")
    table.add_texts("Id", "By")
    table.add_whole("At")
    table.add_texts("What", "Reason")
    for void in statement.voids:
        texts = (("session", void.session), ("product", void.product), ("machine", void.machine), ("user", void.user))
        what = [f"{name} {text}" for name, text in texts if text]
        what += [f"from {minute(void.from_at)}"] if void.from_at is not None else []
        what += [f"until {minute(void.until_at)}"] if void.until_at is not None else []
        table.add_row(
            literal(void.id), literal(void.by), minute(void.at), literal(", ".join(what)), literal(void.reason)
        )
    return table


def token_total(statement: Statement) -> Text | None:
    """The ledger's totals in a line, ``None`` for an account without tokens."""
    block = statement.tokens
    if block is None:
        return None
    return Text(
        f"Tokens: {block.granted:,} granted, {block.debited:,} debited, {block.expired:,} expired, "
        f"balance {block.balance:,}"
    )


def statement_footer(statement: Statement) -> Text:
    """The total and what it rests on, in two lines."""
    basis = statement.basis
    unpriced = sum(line.amount is None for line in statement.pooled)
    text = Text(f"Total {format_money(statement.total, statement.currency)} {statement.currency}", style="bold")
    if unpriced:
        text.append(f" ({unpriced} of {len(statement.pooled)} lines have no price in the contract)", style="not bold")
    if statement.adjustments:
        with_adjustments = format_money(statement.total + statement.adjustments_total, statement.currency)
        adjusted = format_money(statement.adjustments_total, statement.currency)
        text.append(f"\nAdjustments of closed quarters {adjusted}, together {with_adjustments} {statement.currency}")
    complete = "unknown" if basis.complete_until is None else f"{minute(basis.complete_until)} UTC"
    text.append(
        f"\nRests on {basis.heartbeats:,} heartbeats ({basis.dead_letters:,} dead letters), evidence complete until "
        f"{complete}, contract {basis.contract[:19]}…",
        style="not bold",
    )
    return text


def _pooled_cells(line: PooledLine, currency: str) -> tuple[str | Text, ...]:
    return (
        literal(line.product),
        line.country,
        line.policy,
        str(line.entitled),
        str(line.peak),
        minute(line.peak_slots[0]) if line.peak_slots else "",
        str(line.overuse),
        str(line.overuse_days),
        str(line.term_licenses),
        _NO_PRICE if line.unit_price is None else format_money(line.unit_price, currency),
        _NO_PRICE if line.amount is None else format_money(line.amount, currency),
    )
