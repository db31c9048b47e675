"""Credits: what vendors granted in disputes of a closed quarter's lines (RULES 7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import cast

from pipeline.model.commands import Logged, MoveDispute, OpenDispute
from pipeline.model.contract import Model
from pipeline.rules.adjustments import LineId


def granted(logged: Iterable[Logged]) -> dict[str, dict[LineId, int]]:
    """By quarter and line what is granted, from commands in log order, each id once. The latest word on each dispute
    stands: one that is granted and then refused grants nothing."""
    disputes, latest = dict[str, OpenDispute](), dict[str, MoveDispute]()
    for one in logged:
        order = one.command.order
        if isinstance(order, OpenDispute):
            disputes[one.command.id] = order
        elif isinstance(order, MoveDispute) and order.dispute in disputes:
            latest[order.dispute] = order
    found: dict[str, Counter[LineId]] = {}
    for name, move in latest.items():
        dispute = disputes[name]
        if move.state == "granted" and move.granted:
            line = LineId(dispute.product, dispute.country, cast(Model, dispute.line_model))
            found.setdefault(dispute.period, Counter())[line] += move.granted
    return {period: dict(lines) for period, lines in found.items()}
