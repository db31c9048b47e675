"""What a line costs by the statements as they stand, before anything that its vendor granted."""

from __future__ import annotations

from typing import cast

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import quarter_lines
from pipeline.application.quarter.statement_life import open_statement
from pipeline.model.contracts import EntitlementModel
from pipeline.model.instants import Period
from pipeline.rules.dispute.dispute_log import LineIdentity
from pipeline.rules.statement.adjustments import LineId, amounts, carrier_of


def line_cost(view: AccountView, line: LineIdentity, *, now: int) -> int:
    """A line's cost in the smallest unit: as computed while its quarter is open, else as frozen and adjusted since.

    A line without a price, or that is on no statement, costs 0. Raises ``BeforeFirstRow`` and ``InputError``.
    """
    name, product, country, model = line
    line_id, quarters = LineId(product, country, cast(EntitlementModel, model)), view.closes.quarters
    if name not in quarters:
        return amounts(quarter_lines(view, Period.parse(name))).get(line_id, 0)
    closed = quarters[name]
    carrier = carrier_of(closed.period, quarters)
    statements = [other.statement for other in quarters.values()] + [open_statement(view, carrier, now=now)]
    return amounts(closed.statement.lines).get(line_id, 0) + sum(
        adjustment.amount
        for statement in statements
        for adjustment in statement.adjustments
        if adjustment.period == name
        and (adjustment.product, adjustment.country, adjustment.model) == line_id
        and adjustment.kind != "credit"
    )
