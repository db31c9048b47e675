"""Credits: what vendors granted in disputes of a closed quarter's lines (RULES 7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from pipeline.model.contracts import EntitlementModel
from pipeline.model.orders import Logged
from pipeline.rules.dispute.dispute_log import disputes
from pipeline.rules.statement.adjustments import LineId


def granted(logged: Iterable[Logged]) -> dict[str, dict[LineId, int]]:
    """By quarter and line what disputes have granted, from an account's commands in log order."""
    by_quarter: dict[str, dict[LineId, int]] = {}
    for (period, product, country, model), amount in disputes(logged).credits.items():
        by_quarter.setdefault(period, {})[LineId(product, country, cast(EntitlementModel, model))] = amount
    return by_quarter
