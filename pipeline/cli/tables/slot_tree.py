"""A slot of a pool as a tree: the units that count and their sessions; then what did not count, and why."""

from __future__ import annotations

from rich.markup import escape
from rich.tree import Tree

from pipeline.cli.tables.cells import duration, minute
from pipeline.rules.evidence.lengths import active_ms, open_ms
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.slot_explanation import SlotExplanation
from pipeline.rules.explain.uncounted import because, covered_sentence
from pipeline.rules.people.checkouts import TakenOut


def slot_tree(explained: SlotExplanation) -> Tree:
    """A slot as a tree; a unit with a single session or checkout is shown by that alone."""
    until = minute(explained.slot_at + explained.policy.slot_ms)[11:]
    over = f", [bold]{explained.overuse} over[/bold]" if explained.overuse else ""
    tree = Tree(
        f"{escape(explained.product)} in {escape(explained.country)}, {minute(explained.slot_at)} to {until} UTC: "
        f"[bold]{explained.count}[/bold] of {explained.entitled} entitled{over} ({explained.policy.id})"
    )
    counted = tree.add(f"{explained.count} {_unit_noun(explained.policy.unit, explained.count)} counted")
    for unit in explained.units:
        uses = [*map(session_label, unit.sessions), *map(checkout_label, unit.checkouts)]
        if len(uses) == 1:
            counted.add(uses[0])
            continue
        sessions = f"its {len(unit.sessions)} sessions"
        if unit.checkouts:
            sessions = f"its {len(unit.sessions)} sessions and {len(unit.checkouts)} checkouts"
        machine = counted.add(f"{escape(unit.machine)}, once for {sessions}")
        for use in uses:
            machine.add(use)
    if explained.uncounted:
        rest = tree.add(f"{len(explained.uncounted)} sessions not counted")
        for session in explained.uncounted:
            rest.add(f"{session_label(session.session)}: {escape(because(session, explained.policy))}")
    if explained.covered_checkouts:
        rest = tree.add(f"{len(explained.covered_checkouts)} checkouts not counted")
        for covered in explained.covered_checkouts:
            sentence = covered_sentence(covered.covered_by, covered.checkout.user)
            rest.add(f"{checkout_label(covered.checkout)}: {escape(sentence)}")
    return tree


def session_label(session: Session) -> str:
    """A session in a line: whose, where, of what, and for how long."""
    key, open_for = session.key, duration(open_ms(session))
    slots = sum(mask.bit_count() for mask in session.used_slots.values())
    return (
        f"{escape(key.user)} on {escape(key.machine)}, {escape(key.product)} {escape(key.session)}: opened "
        f"{minute(session.opened_at)}, last seen {minute(session.last_at)} ({open_for}; {slots} ten-minute "
        f"{'slot' if slots == 1 else 'slots'}, active {duration(active_ms(session))})"
    )


def checkout_label(taken: TakenOut) -> str:
    """A checkout in a line: whose, where, and from when to when."""
    return (
        f"{escape(taken.user)} on {escape(taken.machine)}, checked out ({escape(taken.id)}): from "
        f"{minute(taken.from_at)} to {minute(taken.until_at)}"
    )


def _unit_noun(unit: str, count: int) -> str:
    noun = "machine" if unit == "machine" else "session"
    return noun if count == 1 else f"{noun}s"
