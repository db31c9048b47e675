"""Lines of seats and of charges as trees: people and their sessions, windows and the stretches behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.markup import escape
from rich.tree import Tree

from pipeline.cli.tables.line_tree import SESSIONS_SHOWN_MAX, and_more, count_of
from pipeline.cli.tables.output import minute
from pipeline.cli.tables.token_tables import charge_line, stretch_line
from pipeline.codec.reports.line_records import why_nowhere
from pipeline.codec.reports.token_records import charge_record, free_record
from pipeline.model.statements import SeatLine
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.flex_explanation import FlexLineExplanation
from pipeline.rules.explain.seat_explanation import Person, SeatLineExplanation
from pipeline.rules.explain.seat_use import CheckoutUse, CountedIn, SessionUse, SlotsByStep
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.tokens.charge_explanation import Charge

PEOPLE_SHOWN_MAX: Final = 20
WINDOWS_SHOWN_MAX: Final = 20
_PLACES: Final[dict[CountedIn, str]] = {
    "single_user": "covered by the single-user seat",
    "practitioner": "covered by the practitioner seat",
    "named": "covered by the named seat",
    "pooled": "counted in the pool",
    "flex": "metered in tokens",
}


def seat_line_tree(
    explained: SeatLineExplanation,
    session_label: Callable[[Session], str],
    checkout_label: Callable[[TakenOut], str],
) -> Tree:
    """A line of seats as a tree: who has one, what of their use it covers, and where the rest counts.

    What is left out for length is said; the JSON has all of it.
    """
    line = explained.line
    seats = count_of(line.entitled, f"{line.model.replace('_', '-')} seat")
    over = f", [bold]{count_of(line.overflow, 'user')} found none left[/bold]" if line.overflow else ""
    tree = Tree(
        f"{escape(line.product)} in {escape(line.country)}, {explained.period.name}: {seats}, held by "
        f"{count_of(len(line.users), 'user')}{over} ({escape(line.policy)})"
    )
    for one in explained.people[:PEOPLE_SHOWN_MAX]:
        branch = tree.add(_person(one, line))
        uses = [
            *(f"{session_label(use.session)}: {_session_words(use)}" for use in one.sessions),
            *(f"{checkout_label(use.taken)}: {_places(use)}" for use in one.checkouts),
        ]
        for text in uses[:SESSIONS_SHOWN_MAX]:
            branch.add(text)
        and_more(branch, len(uses) - SESSIONS_SHOWN_MAX, "session")
        if not uses:
            branch.add("no use in the quarter")
    and_more(tree, len(explained.people) - PEOPLE_SHOWN_MAX, "user")
    return tree


def flex_line_tree(explained: FlexLineExplanation) -> Tree:
    """A line of charges as a tree: windows with who paid and the stretches behind each, then what cost nothing.

    What is left out for length is said; the JSON has all of it.
    """
    line = explained.line
    short = f", [bold]{line.uncovered:,} uncovered[/bold]" if line.uncovered else ""
    tree = Tree(
        f"{escape(line.product)} in {escape(line.country)}, {explained.period.name}: {line.tokens:,} tokens paid by "
        f"packs{short} ({escape(line.policy)})"
    )
    _windows(tree.add(f"{count_of(line.charges, 'window')} charged"), explained.charges)
    if explained.waiting:
        waiting = count_of(len(explained.waiting), "window")
        _windows(tree.add(f"{waiting} not settled yet, and so on no statement"), explained.waiting)
    if explained.free:
        free = tree.add(f"{count_of(len(explained.free), 'connection')} cost nothing")
        for record in map(free_record, explained.free[:SESSIONS_SHOWN_MAX]):
            free.add(escape(f"{record['user']}: {stretch_line(record)}; {record['why']}"))
        and_more(free, len(explained.free) - SESSIONS_SHOWN_MAX, "connection")
    return tree


def _windows(branch: Tree, charges: tuple[Charge, ...]) -> None:
    for one in charges[:WINDOWS_SHOWN_MAX]:
        window = branch.add(escape(charge_line(charge_record(one))))
        for key, span in one.causes[:SESSIONS_SHOWN_MAX]:
            active = f"active {minute(span.from_at)} to {minute(span.until_at)}"
            window.add(escape(f"{key.product} {key.session} on {key.machine}, {active}"))
        if not one.causes:
            window.add("no evidence that counts is behind it any more; `seatbeat audit` tells more")
    and_more(branch, len(charges) - WINDOWS_SHOWN_MAX, "window")


def _person(one: Person, line: SeatLine) -> str:
    user = f"[bold]{escape(one.user)}[/bold]"
    if not one.holds:
        return f"{user}: found no {line.model.replace('_', '-')} seat left in the quarter"
    spans = " and ".join(f"{minute(from_at)} to {minute(until_at)}" for from_at, until_at in one.covered)
    told = [f"covered from {spans}"]
    if one.taken_at is not None:
        shared = f", shared with {', '.join(one.shared_with)}" if one.shared_with else ""
        told.append(f"took the seat by the use that counted at {minute(one.taken_at)}{shared}")
    for held in one.assigned:
        lock = f", locked until {minute(held.locked_until)}" if held.model == "practitioner" else ""
        until = "" if held.until_at is None else f", held until {minute(held.until_at)}"
        told.append(f"assigned at {minute(held.from_at)}{lock}{until}")
    return f"{user}: {escape('; '.join(told))}"


def _session_words(use: SessionUse) -> str:
    nowhere = why_nowhere(use)
    return _places(use) if nowhere is None else escape(nowhere)


def _places(use: SessionUse | CheckoutUse) -> str:
    return "; ".join(f"{_PLACES[place]} {_in_slots(use.slots, place)}" for place in use.slots)


def _in_slots(slots: SlotsByStep, place: CountedIn) -> str:
    starts = slots[place]
    if len(starts) == 1:
        return f"in the slot {minute(starts[0])}"
    return f"in {len(starts):,} slots, {minute(starts[0])} to {minute(starts[-1])}"
