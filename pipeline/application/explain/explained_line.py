"""A line taken apart: over-used days and what did not count on them; people and their seats; charges in tokens."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.application.account_view import AccountView
from pipeline.application.as_of_view import view_as_of
from pipeline.application.explain.explained_slot import explain_slot_at
from pipeline.application.quarter.quarter_counts import pool_counts
from pipeline.application.quarter.quarter_grounds import Grounds, change_since_close, quarter_grounds
from pipeline.application.quarter.seat_steps import seat_steps
from pipeline.application.tokens.token_account import token_explanation
from pipeline.codec.reports.letter_records import printable
from pipeline.model.errors import InputError
from pipeline.model.instants import DAY_MS, Period, day_of
from pipeline.model.statements import FlexLine, Line, PooledLine, SeatLine, Statement
from pipeline.rules.explain.flex_explanation import FlexLineExplanation, explain_flex
from pipeline.rules.explain.line_explanation import (
    DAYS_TAKEN_APART_MAX,
    ExplainedLine,
    LineExplanation,
    overused_by_day,
    slots_to_take_apart,
    uncounted_on,
)
from pipeline.rules.explain.seat_explanation import SeatLineExplanation, explain_seats, overflow_of
from pipeline.rules.people.coverage import Covered
from pipeline.rules.tokens.charge_explanation import Asked
from pipeline.store.stored_sessions import Selection, days_with_use, read_sessions


@dataclass(frozen=True, slots=True)
class ExplainedLines:
    """Lines of a quarter taken apart, the view they are read under, and how evidence changed them since the close."""

    lines: tuple[ExplainedLine, ...]
    view: AccountView
    changes: tuple[str, ...]


def explained_lines(view: AccountView, period: Period, selector: str, as_of: str = "") -> ExplainedLines:
    """Take the lines apart that a text such as ``MSTN/CZ/named`` names.

    Raises ``InputError``, ``BeforeFirstRow``, and ``LedgerBroken`` for charges.
    """
    grounds = quarter_grounds(view_as_of(view, period, as_of), period)
    lines = named_lines(grounds.statement, selector)
    changes = tuple(change for line in lines if (change := change_since_close(grounds, line)))
    return ExplainedLines(tuple(explain_line(grounds, line) for line in lines), grounds.view, changes)


def named_lines(statement: Statement, text: str) -> tuple[Line, ...]:
    """The lines that a text names: ``MSTN``, ``MSTN/CZ`` or ``MSTN/CZ/named``. Raises ``InputError`` without any."""
    lines = tuple(
        line
        for line in statement.lines
        if text in {line.product, f"{line.product}/{line.country}", f"{line.product}/{line.country}/{line.model}"}
    )
    if lines:
        return lines
    names = ", ".join(f"{line.product}/{line.country}/{line.model}" for line in statement.lines) or "none"
    reason = f"is no line of {statement.period.name}"
    raise InputError(f"--line {printable(text)}", reason, f"Its lines: {printable(names)}")


def explain_line(grounds: Grounds, line: Line) -> ExplainedLine:
    """Take a line of the grounds' statement apart. Raises ``BeforeFirstRow``, and ``LedgerBroken`` for charges."""
    match line:
        case PooledLine():
            return explain_pooled_line(grounds, line)
        case SeatLine():
            return _explain_seat_line(grounds, line)
        case FlexLine():
            return _explain_flex_line(grounds, line)


def explain_pooled_line(grounds: Grounds, line: PooledLine) -> LineExplanation:
    """Take a pooled line apart: over-used days and slots, and what was used on those days and did not count."""
    view, statement = grounds.view, grounds.statement
    reading, period, pool = view.reading, statement.period, (line.product, line.country)
    seats, counts = pool_counts(view, period)
    overused, covered = overused_by_day(reading, line, counts.get(pool, {})), Covered(seats.coverage)
    slots = slots_to_take_apart(line, overused)
    codes = reading.codes_of(line.product)
    days = [at // DAY_MS for at in slots] or days_with_use(
        view.client, view.account, codes, day_of(period.start_at), day_of(period.end_at), DAYS_TAKEN_APART_MAX
    )
    uncounted = []
    for day in days:
        selection = Selection(view.account, day * DAY_MS, (day + 1) * DAY_MS, codes=codes)
        sessions = read_sessions(view.client, selection)
        uncounted += uncounted_on(reading, line, period, day, sessions, covered, view.voids)
    return LineExplanation(
        account=statement.account,
        period=period,
        currency=statement.currency,
        line=line,
        tolerance_days=reading.policy_at(*pool, period.start_at).tolerance_days,
        overused=overused,
        apart=tuple(explain_slot_at(view, *pool, at, covered) for at in slots),
        uncounted=tuple(uncounted),
    )


def _explain_seat_line(grounds: Grounds, line: SeatLine) -> SeatLineExplanation:
    """The people of a line of seats, with their use of its product in the whole quarter and nobody else's."""
    view, statement = grounds.view, grounds.statement
    period, people = statement.period, view.people
    seats = seat_steps(view, period)
    users = (*line.users, *overflow_of(line, seats.named))
    selection = Selection(
        statement.account, period.start_at, period.end_at, codes=view.reading.codes_of(line.product), users=users
    )
    explained = explain_seats(
        view.reading,
        period,
        line,
        users,
        read_sessions(view.client, selection) if users else [],
        coverage=seats.coverage,
        named=seats.named,
        holdings=people.holdings,
        checkouts=people.checkouts,
        voids=view.voids,
    )
    return SeatLineExplanation(statement.account, period, statement.currency, line, explained)


def _explain_flex_line(grounds: Grounds, line: FlexLine) -> FlexLineExplanation:
    """The windows of a line of charges, all of them, with the stretches behind each."""
    statement, period = grounds.statement, grounds.statement.period
    asked = Asked(period.start_at, period.end_at, product=line.product)
    _, explained = token_explanation(grounds.view, asked)
    return explain_flex(statement.account, period, statement.currency, line, explained)
