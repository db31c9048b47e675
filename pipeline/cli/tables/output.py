"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import sys
import warnings
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.codec.reports.letter_records import printable
from pipeline.model.contracts import Contract
from pipeline.model.instants import DAY_MS, iso
from pipeline.model.money import format_money
from pipeline.model.orders import Logged
from pipeline.model.statements import PooledLine, SeatLine, Statement
from pipeline.rules.people.holders import refused_entries
from pipeline.rules.statement.closes import Closed
from pipeline.store.letters import Letters

PIPE_COLUMNS: Final = 10_000
"""Wider than any line, so that none is broken where programs read it."""


class _Console(Console):
    """A console whose reader may leave: that is one case for all commands, and not rich's own exit status 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console that never breaks a line of a report in a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_COLUMNS
    return _Console(file=stream, width=width, highlight=False, soft_wrap=False)


def program_name() -> str:
    """How to call this program from here: by its name where the shell finds it, else by its path, else as a module."""
    if shutil.which("seatbeat"):
        return "seatbeat"
    if os.access(sys.argv[0], os.X_OK):
        return shlex.quote(os.path.relpath(sys.argv[0]))
    return f"{shlex.quote(sys.executable)} -m pipeline.cli.main"


def quiet_logs() -> None:
    """Keep libraries from telling what the program itself tells better, or what mends itself."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def report(text: str) -> None:
    """Say something on stderr."""
    print(f"seatbeat: {text}", file=sys.stderr)


def minute(at: int) -> str:
    """An instant to the minute, as tables show it."""
    return iso(at)[:16].replace("T", " ")


def duration(ms: int) -> str:
    """A length of time as tables show it: ``2 d 03:15`` or ``3:15``."""
    days, rest = divmod(ms, DAY_MS)
    clock = f"{rest // 3_600_000:02}:{rest // 60_000 % 60:02}"
    return f"{days} d {clock}" if days else clock


def statement_table(statement: Statement) -> Table:
    """A statement as a table; over-use stands out."""
    period = f"{minute(statement.period.start_at)[:10]} to {minute(statement.period.end_at - 1)[:10]}, UTC"
    table = Table(
        title=f"{statement.account}, {statement.period.name} ({period}), {statement.state}", title_justify="left"
    )
    for name in ("Product", "Country", "Policy"):
        table.add_column(name, overflow="fold")
    for name in ("Entitled", "Peak"):
        table.add_column(name, justify="right")
    table.add_column("First peak slot")
    for name in ("Over-use", "Days", "Term licences", "Unit price", "Amount"):
        table.add_column(name, justify="right")
    for line in statement.pooled:
        table.add_row(*_cells(line, statement.currency), style="bold" if line.overuse else "")
    return table


def seat_table(statement: Statement) -> Table | None:
    """The seats tied to people of a statement, and whom they left over; ``None`` without any."""
    lines = [line for line in statement.lines if isinstance(line, SeatLine)]
    if not lines:
        return None
    table = Table(title="Seats tied to people", title_justify="left")
    for name in ("Product", "Country", "Model", "Policy"):
        table.add_column(name, overflow="fold")
    for name in ("Entitled", "Held", "Overflow"):
        table.add_column(name, justify="right")
    table.add_column("Users", overflow="fold")
    for line in lines:
        overflow = "" if line.overflow is None else str(line.overflow)
        table.add_row(
            shown(line.product), line.country, line.model.replace("_", " "), line.policy, str(line.entitled),
            str(len(line.users)), overflow, shown(", ".join(line.users)), style="bold" if line.overflow else "",
        )  # fmt: skip
    return table


def closed_words(closed: Closed) -> str:
    """Who closed a quarter and when, and what was known to be missing then."""
    close, command = closed.close, closed.command
    forced = ", by force: evidence was not complete to its end" if close.forced else ""
    who = f"{close.period} was closed by {command.by} at {iso(command.issued_at)} (id {command.id})"
    return f"{who}{forced}; {close.silent_machines:,} silent machines"


def adjustment_table(statement: Statement) -> Table | None:
    """What a statement carries for closed quarters; ``None`` without any."""
    if not statement.adjustments:
        return None
    table = Table(title="Adjustments of closed quarters", title_justify="left")
    for name in ("Quarter", "Kind", "Product", "Country", "Model"):
        table.add_column(name, overflow="fold")
    for name in ("Before", "After", "Amount"):
        table.add_column(name, justify="right")
    for one in statement.adjustments:
        money = (format_money(minor, statement.currency) for minor in (one.before, one.after, one.amount))
        kind = one.kind.replace("_", " ")
        table.add_row(one.period, kind, shown(one.product), one.country, one.model.replace("_", " "), *money)
    return table


def void_table(statement: Statement) -> Table | None:
    """The voids that a statement was computed under; ``None`` without any."""
    if not statement.voids:
        return None
    table = Table(title="Left out by voids", title_justify="left")
    for name in ("Id", "By", "At", "What", "Reason"):
        table.add_column(name, overflow="fold")
    for void in statement.voids:
        texts = (("session", void.session), ("product", void.product), ("machine", void.machine), ("user", void.user))
        what = [f"{name} {text}" for name, text in texts if text]
        what += [f"from {minute(void.from_at)}"] if void.from_at is not None else []
        what += [f"until {minute(void.until_at)}"] if void.until_at is not None else []
        table.add_row(shown(void.id), shown(void.by), minute(void.at), shown(", ".join(what)), shown(void.reason))
    return table


def report_refused(contract: Contract, logged: Sequence[Logged]) -> None:
    """Say on stderr which entries of a contract's lists give nobody anything, after the commands of the log."""
    for listed, refused in refused_entries(contract, logged):
        name, index = listed.place
        report(printable(f"{name}[{index}] of the contract is refused: {refused.sentence}"))


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


def report_letters(letters: Letters, *, kept: bool = True) -> None:
    """Say on stderr which lines could not be used, the first ones one by one, all by code."""
    if not letters.count:
        return
    for one in letters.first:
        place = f"{one.source}:{one.line}" if one.source else "a message"
        report(printable(f"{place}: {one.code}: {one.detail}"))
    codes = ", ".join(f"{code} {count:,}" for code, count in letters.by_code.items())
    where = " and are kept as dead letters" if kept else ""
    report(f"{letters.count:,} could not be used{where}: {codes}")


def shown(text: str) -> Text:
    """A text that came from outside, as it is: it neither styles a table nor moves the cursor."""
    return Text(printable(text))


def _cells(line: PooledLine, currency: str) -> tuple[str | Text, ...]:
    return (
        shown(line.product),
        line.country,
        line.policy,
        str(line.entitled),
        str(line.peak),
        minute(line.peak_slots[0]) if line.peak_slots else "",
        str(line.overuse),
        str(line.overuse_days),
        str(line.term_licenses),
        "no price" if line.unit_price is None else format_money(line.unit_price, currency),
        "no price" if line.amount is None else format_money(line.amount, currency),
    )
