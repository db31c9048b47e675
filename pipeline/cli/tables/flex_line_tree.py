"""A line of charges as a tree: windows with who paid and the stretches behind each; then what cost nothing."""

from __future__ import annotations

from typing import Final

from rich.markup import escape
from rich.tree import Tree

from pipeline.cli.tables.cells import and_more, count_of
from pipeline.cli.tables.token_tables import charge_sentence, moment, stretch_sentence
from pipeline.codec.reports.token_records import charge_record, free_record
from pipeline.model.instants import iso_exact
from pipeline.rules.explain.flex_explanation import FlexLineExplanation
from pipeline.rules.tokens.charge_explanation import Charge

WINDOWS_SHOWN_MAX: Final = 20
STRETCHES_SHOWN_MAX: Final = 20


def flex_line_tree(explained: FlexLineExplanation) -> Tree:
    """A line of charges as a tree. It says how much it leaves out for length; the JSON has all of it."""
    line = explained.line
    short = f", [bold]{line.uncovered:,} uncovered[/bold]" if line.uncovered else ""
    tree = Tree(
        f"{escape(line.product)} in {escape(line.country)}, {explained.period.name}: {line.tokens:,} tokens paid by "
        f"packs{short} ({escape(line.policy)})"
    )
    _add_windows(tree.add(f"{count_of(line.charges, 'window')} charged"), explained.charges)
    if explained.waiting:
        waiting = count_of(len(explained.waiting), "window")
        _add_windows(tree.add(f"{waiting} not settled yet, and so on no statement"), explained.waiting)
    if explained.free:
        free = tree.add(f"{count_of(len(explained.free), 'connection')} cost nothing")
        for record in map(free_record, explained.free[:STRETCHES_SHOWN_MAX]):
            free.add(escape(f"{record['user']}: {stretch_sentence(record)}; {record['why']}"))
        and_more(free, len(explained.free) - STRETCHES_SHOWN_MAX, "connection")
    return tree


def _add_windows(branch: Tree, charges: tuple[Charge, ...]) -> None:
    for charge in charges[:WINDOWS_SHOWN_MAX]:
        window = branch.add(escape(charge_sentence(charge_record(charge))))
        for key, span in charge.causes[:STRETCHES_SHOWN_MAX]:
            active = f"active {moment(iso_exact(span.from_at))} to {moment(iso_exact(span.until_at))}"
            window.add(escape(f"{key.product} {key.session} on {key.machine}, {active}"))
        if not charge.causes:
            window.add("no evidence that counts is behind it any more; `seatbeat audit` tells more")
    and_more(branch, len(charges) - WINDOWS_SHOWN_MAX, "window")
