"""A line of seats as a tree: the people who have a seat, and what of their use it covers."""

from __future__ import annotations

from typing import Final

from rich.markup import escape
from rich.tree import Tree

from pipeline.cli.tables.cells import and_more, count_of, minute
from pipeline.cli.tables.slot_tree import checkout_label, session_label
from pipeline.codec.reports.line_records import why_nowhere
from pipeline.model.statements import SeatLine
from pipeline.rules.explain.seat_explanation import Person, SeatLineExplanation
from pipeline.rules.explain.seat_use import CheckoutUse, CountedIn, SessionUse, SlotsByStep

PEOPLE_SHOWN_MAX: Final = 20
SESSIONS_SHOWN_MAX: Final = 20
_PLACES: Final[dict[CountedIn, str]] = {
    "single_user": "covered by the single-user seat",
    "practitioner": "covered by the practitioner seat",
    "named": "covered by the named seat",
    "pooled": "counted in the pool",
    "flex": "metered in tokens",
}


def seat_line_tree(explained: SeatLineExplanation) -> Tree:
    """A line of seats as a tree: who has a seat, what of their use it covers, and where the rest counts.

    It says how much it leaves out for length; the JSON has all of it.
    """
    line = explained.line
    seats = count_of(line.entitled, f"{line.model.replace('_', '-')} seat")
    over = f", [bold]{count_of(line.overflow, 'user')} found none left[/bold]" if line.overflow else ""
    tree = Tree(
        f"{escape(line.product)} in {escape(line.country)}, {explained.period.name}: {seats}, held by "
        f"{count_of(len(line.users), 'user')}{over} ({escape(line.policy)})"
    )
    for person in explained.people[:PEOPLE_SHOWN_MAX]:
        branch = tree.add(_person(person, line))
        uses = [
            *(f"{session_label(use.session)}: {_session_places(use)}" for use in person.sessions),
            *(f"{checkout_label(use.taken)}: {_places(use)}" for use in person.checkouts),
        ]
        for text in uses[:SESSIONS_SHOWN_MAX]:
            branch.add(text)
        and_more(branch, len(uses) - SESSIONS_SHOWN_MAX, "session")
        if not uses:
            branch.add("no use in the quarter")
    and_more(tree, len(explained.people) - PEOPLE_SHOWN_MAX, "user")
    return tree


def _person(person: Person, line: SeatLine) -> str:
    user = f"[bold]{escape(person.user)}[/bold]"
    if not person.holds:
        return f"{user}: found no {line.model.replace('_', '-')} seat left in the quarter"
    spans = " and ".join(f"{minute(from_at)} to {minute(until_at)}" for from_at, until_at in person.covered)
    clauses = [f"covered from {spans}"]
    if person.taken_at is not None:
        shared = f", shared with {', '.join(person.shared_with)}" if person.shared_with else ""
        clauses.append(f"took the seat by the use that counted at {minute(person.taken_at)}{shared}")
    for held in person.assigned:
        lock = f", locked until {minute(held.locked_until)}" if held.model == "practitioner" else ""
        until = "" if held.until_at is None else f", held until {minute(held.until_at)}"
        clauses.append(f"assigned at {minute(held.from_at)}{lock}{until}")
    return f"{user}: {escape('; '.join(clauses))}"


def _session_places(use: SessionUse) -> str:
    nowhere = why_nowhere(use)
    return _places(use) if nowhere is None else escape(nowhere)


def _places(use: SessionUse | CheckoutUse) -> str:
    return "; ".join(f"{_PLACES[place]} {_in_slots(use.slots, place)}" for place in use.slots)


def _in_slots(slots: SlotsByStep, place: CountedIn) -> str:
    starts = slots[place]
    if len(starts) == 1:
        return f"in the slot {minute(starts[0])}"
    return f"in {len(starts):,} slots, {minute(starts[0])} to {minute(starts[-1])}"
