"""What a packet and an explanation of a line rest on: today's evidence, or what the quarter was closed with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pipeline import __version__
from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.application.tokens.token_settlement import with_tokens
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.statement.line_json import line_record
from pipeline.model.instants import Period, iso
from pipeline.model.money import format_money
from pipeline.model.statements import FlexLine, Line, PooledLine, SeatLine, Statement

HASH_SHOWN: Final = len("sha256:") + 12
"""As much of a version's hash as tells it from others."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """A statement of a quarter, and the view from which its lines follow.

    ``statement`` is the frozen one where the quarter is closed. Where evidence came after the close it is computed
    from all evidence under the contract and orders of the close, so that lines and evidence agree.
    """

    view: AccountView
    statement: Statement

    @property
    def frozen(self) -> Statement | None:
        """The statement that the quarter was closed with, ``None`` where the view is not as of a close."""
        return None if self.view.closed is None else self.view.closed.statement


def quarter_grounds(view: AccountView, period: Period, *, seatbeat: str = __version__) -> Grounds:
    """The grounds of a quarter under a view, with the flex lines of all that is settled by now.

    Raises ``BeforeFirstRow``.
    """
    computed = with_tokens(computed_statement(view, period, seatbeat=seatbeat), view, now=period.end_at)
    if view.closed is None:
        return Grounds(view, computed)
    frozen = view.closed.statement
    is_same = _line_records(computed) == _line_records(frozen)
    return Grounds(view, frozen if is_same else replace(computed, state="closed"))


def closed_note(view: AccountView) -> str:
    """Which contract a closed quarter is read under, and by whose close; ``''`` for a view that is as of no close."""
    if view.closed is None:
        return ""
    command, version = view.closed.command, view.closed.close.contract[:HASH_SHOWN]
    return printable(
        f"{view.closed.period.name} was closed by {command.by} at {iso(command.issued_at)} (id {command.id}) and is "
        f"told under what was known then: its contract {version}…, and the orders before the close"
    )


def basis_record(view: AccountView) -> dict[str, str | None]:
    """The same for programs: the contract's version, and the close it is of, ``None`` while the quarter is open."""
    closed = view.closed
    return {"contract": view.contract.content_hash, "close": None if closed is None else closed.id}


def change_since_close(grounds: Grounds, line: Line) -> str:
    """In words, how evidence that came after the close changed a line; ``''`` where it did not."""
    frozen = grounds.frozen
    if frozen is None:
        return ""
    billed = _same_line(frozen, line)
    if billed is not None and line_record(billed, frozen.currency) == line_record(line, frozen.currency):
        return ""
    currency, quarter = frozen.currency, frozen.period.name
    was = "with no line" if billed is None else f"at {_figures(billed, currency)}"
    rest = ", and the difference is an adjustment" if isinstance(line, PooledLine) else ""
    return printable(
        f"{line.product} in {line.country} was closed {was} in {quarter}; evidence that came later makes it "
        f"{_figures(line, currency)}, which is told here{rest}"
    )


def _line_records(statement: Statement) -> list[object]:
    """The lines as statements write them: what was frozen is read back from that."""
    return [line_record(line, statement.currency) for line in statement.lines]


def _same_line(statement: Statement, line: Line) -> Line | None:
    identity = line.product, line.country, line.model
    return next((other for other in statement.lines if (other.product, other.country, other.model) == identity), None)


def _figures(line: Line, currency: str) -> str:
    match line:
        case PooledLine():
            return "no price" if line.amount is None else f"{format_money(line.amount, currency)} {currency}"
        case SeatLine():
            return f"seats of {', '.join(line.users) or 'nobody'}"
        case FlexLine():
            return f"{line.charges:,} charges for {line.tokens:,} tokens"
