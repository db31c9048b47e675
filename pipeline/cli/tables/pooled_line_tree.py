"""A pooled line as a tree: amount, term licences, days, slots, machines and sessions; then what did not count."""

from __future__ import annotations

from typing import Final

from rich.markup import escape
from rich.tree import Tree

from pipeline.cli.tables.cells import and_more, count_of, minute
from pipeline.cli.tables.slot_tree import session_label, slot_tree
from pipeline.codec.reports.line_records import why
from pipeline.model.instants import DAY_MS, calendar_day
from pipeline.model.money import format_money
from pipeline.rules.explain.line_explanation import LineExplanation

DAYS_SHOWN_MAX: Final = 10
SLOTS_SHOWN_MAX: Final = 12
SESSIONS_SHOWN_MAX: Final = 20


def pooled_line_tree(explained: LineExplanation) -> Tree:
    """A pooled line as a tree. It says how much it leaves out for length; the JSON has all of it."""
    line, currency = explained.line, explained.currency
    amount = "no price" if line.amount is None else f"{format_money(line.amount, currency)} {currency}"
    pool = f"{escape(line.product)} in {escape(line.country)}"
    tree = Tree(f"{pool}, {explained.period.name}: [bold]{amount}[/bold] ({escape(line.policy)})")
    due = tree.add(_term_licenses_due(explained))
    days = due.add(_over_use(explained))
    apart = {slot.slot_at // DAY_MS: slot for slot in explained.apart}
    for day, slots in [*explained.overused.items()][:DAYS_SHOWN_MAX]:
        highest = max(slot.overuse for slot in slots)
        branch = days.add(f"{calendar_day(day)}: {count_of(len(slots), 'slot')} over, by {highest} at most")
        for slot in slots[:SLOTS_SHOWN_MAX]:
            branch.add(f"{minute(slot.slot_at)[11:]}: {slot.count} of {slot.entitled}, {slot.overuse} over")
        and_more(branch, len(slots) - SLOTS_SHOWN_MAX, "slot")
        if day in apart:
            branch.children.append(slot_tree(apart[day]))
    and_more(days, len(explained.overused) - DAYS_SHOWN_MAX, "day")
    if not explained.overused:
        days.children.extend(map(slot_tree, explained.apart))
    _add_uncounted(tree, explained)
    return tree


def _term_licenses_due(explained: LineExplanation) -> str:
    line = explained.line
    if line.unit_price is None:
        price = "without a price in the contract"
    else:
        price = f"at {format_money(line.unit_price, explained.currency)} {explained.currency}"
    tolerated = ""
    if explained.tolerance_days:
        tolerated = f", as over-use of up to {count_of(explained.tolerance_days, 'day')} is tolerated"
    return f"{count_of(line.term_licenses, 'term licence')} {price}{tolerated}"


def _over_use(explained: LineExplanation) -> str:
    line = explained.line
    if not line.overuse:
        return f"no over-use: the peak of {line.peak} is within what is entitled"
    slots = sum(map(len, explained.overused.values()))
    over = f"over-use by {line.overuse} at most, on {count_of(line.overuse_days, 'day')}, in {count_of(slots, 'slot')}"
    return f"{over}; the peak is {line.peak}"


def _add_uncounted(tree: Tree, explained: LineExplanation) -> None:
    if not explained.uncounted:
        return
    days = [calendar_day(day).isoformat() for day in sorted({use.day for use in explained.uncounted})]
    sessions = count_of(len(explained.uncounted), "session")
    rest = tree.add(f"{sessions} used on {' and '.join(days)} did not count")
    for use in explained.uncounted[:SESSIONS_SHOWN_MAX]:
        rest.add(f"{session_label(use.uncounted.session)}: {escape(why(use))}")
    and_more(rest, len(explained.uncounted) - SESSIONS_SHOWN_MAX, "session")
