"""Credits: what vendors granted in disputes of a closed quarter's lines (RULES 7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from pipeline.model.commands import Logged
from pipeline.model.contract import Model
from pipeline.rules.adjustments import LineId
from pipeline.rules.disputes import disputes


def granted(logged: Iterable[Logged]) -> dict[str, dict[LineId, int]]:
    """By quarter and line what disputes have granted, from an account's commands in log order."""
    found: dict[str, dict[LineId, int]] = {}
    for (period, product, country, model), amount in disputes(logged).credits.items():
        found.setdefault(period, {})[LineId(product, country, cast(Model, model))] = amount
    return found
