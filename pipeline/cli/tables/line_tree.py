"""A pooled line as a tree: amount, term licences, days, slots, machines and sessions; then what did not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.markup import escape
from rich.tree import Tree

from pipeline.cli.tables.output import minute
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.reports.line_records import why
from pipeline.model.errors import InputError
from pipeline.model.instants import DAY_MS, calendar_day
from pipeline.model.money import format_money
from pipeline.model.statements import Line, Statement
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.line_explanation import LineExplanation
from pipeline.rules.explain.slot_explanation import SlotExplanation

DAYS_SHOWN_MAX: Final = 10
SLOTS_SHOWN_MAX: Final = 12
SESSIONS_SHOWN_MAX: Final = 20


def named_lines(statement: Statement, text: str) -> tuple[Line, ...]:
    """The lines that a text names: ``MSTN``, ``MSTN/CZ`` or ``MSTN/CZ/named``. Raises ``InputError`` without any."""
    found = tuple(
        one
        for one in statement.lines
        if text in {one.product, f"{one.product}/{one.country}", f"{one.product}/{one.country}/{one.model}"}
    )
    if found:
        return found
    known = ", ".join(f"{one.product}/{one.country}/{one.model}" for one in statement.lines) or "none"
    reason = f"is no line of {statement.period.name}"
    raise InputError(f"--line {printable(text)}", reason, f"Its lines: {printable(known)}")


def line_tree(
    explained: LineExplanation, slot_tree: Callable[[SlotExplanation], Tree], session_label: Callable[[Session], str]
) -> Tree:
    """A line as a tree, with its slots and sessions as ``explain --slot`` shows them.

    What is left out for length is said; the JSON has all of it.
    """
    line, currency = explained.line, explained.currency
    amount = "no price" if line.amount is None else f"{format_money(line.amount, currency)} {currency}"
    pool = f"{escape(line.product)} in {escape(line.country)}"
    tree = Tree(f"{pool}, {explained.period.name}: [bold]{amount}[/bold] ({escape(line.policy)})")
    due = tree.add(_due(explained))
    days = due.add(_days(explained))
    apart = {one.slot_at // DAY_MS: one for one in explained.apart}
    for day, found in [*explained.overused.items()][:DAYS_SHOWN_MAX]:
        highest = max(one.overuse for one in found)
        branch = days.add(f"{calendar_day(day)}: {count_of(len(found), 'slot')} over, by {highest} at most")
        for one in found[:SLOTS_SHOWN_MAX]:
            branch.add(f"{minute(one.slot_at)[11:]}: {one.count} of {one.entitled}, {one.overuse} over")
        and_more(branch, len(found) - SLOTS_SHOWN_MAX, "slot")
        if day in apart:
            branch.children.append(slot_tree(apart[day]))
    and_more(days, len(explained.overused) - DAYS_SHOWN_MAX, "day")
    if not explained.overused:
        days.children.extend(slot_tree(one) for one in explained.apart)
    _uncounted(tree, explained, session_label)
    return tree


def _due(explained: LineExplanation) -> str:
    line = explained.line
    if line.unit_price is None:
        price = "without a price in the contract"
    else:
        price = f"at {format_money(line.unit_price, explained.currency)} {explained.currency}"
    tolerated = ""
    if explained.tolerance_days:
        tolerated = f", as over-use of up to {count_of(explained.tolerance_days, 'day')} is tolerated"
    return f"{count_of(line.term_licenses, 'term licence')} {price}{tolerated}"


def _days(explained: LineExplanation) -> str:
    line = explained.line
    if not line.overuse:
        return f"no over-use: the peak of {line.peak} is within what is entitled"
    slots = sum(len(found) for found in explained.overused.values())
    over = f"over-use by {line.overuse} at most, on {count_of(line.overuse_days, 'day')}, in {count_of(slots, 'slot')}"
    return f"{over}; the peak is {line.peak}"


def _uncounted(tree: Tree, explained: LineExplanation, session_label: Callable[[Session], str]) -> None:
    if not explained.uncounted:
        return
    days = [calendar_day(day).isoformat() for day in sorted({one.day for one in explained.uncounted})]
    shown = f"used on {' and '.join(days)}"
    rest = tree.add(f"{count_of(len(explained.uncounted), 'session')} {shown} did not count")
    for one in explained.uncounted[:SESSIONS_SHOWN_MAX]:
        rest.add(f"{session_label(one.uncounted.session)}: {escape(why(one))}")
    and_more(rest, len(explained.uncounted) - SESSIONS_SHOWN_MAX, "session")


def and_more(branch: Tree, count: int, noun: str) -> None:
    """Say how many of a long list are not shown."""
    if count > 0:
        branch.add(f"and {count_of(count, noun)} more; --output json has them all")


def count_of(count: int, noun: str) -> str:
    """A number with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
