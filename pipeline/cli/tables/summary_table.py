"""The summary of a log without a contract, as a table a quarter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.cli.tables.cells import literal, minute
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.model.instants import HOUR_MS, Period
from pipeline.rules.summary.feature_summary import FeatureSummary

PERCENT_SHOWN_MIN: Final = 0.1


def summary_table(period: Period, features: Iterable[FeatureSummary]) -> FittedTable:
    """Each feature of a quarter, a row each."""
    table = FittedTable(f"{period.name}, without a contract")
    table.add_texts("Feature")
    table.add_figures("Peak")
    table.add_whole("First peak slot")
    table.add_figures("At the peak", "Users", "Hours", "Sessions", "Under 10 min", "True denials")
    for feature in features:
        table.add_row(
            literal(feature.feature),
            f"{feature.peak:,}",
            "" if feature.peak_at is None else minute(feature.peak_at),
            _share(feature),
            f"{feature.users:,}",
            f"{feature.open_ms / HOUR_MS:,.1f}",
            f"{feature.sessions:,}",
            f"{feature.brief_sessions:,}",
            "" if feature.true_denials is None else f"{feature.true_denials:,}",
        )
    return table


def _share(feature: FeatureSummary) -> str:
    """Which part of the slots with use held the peak, and how many they are."""
    if not feature.slots_counted:
        return ""
    percent = 100 * feature.slots_at_peak / feature.slots_counted
    share = f"{percent:.1f}%" if percent >= PERCENT_SHOWN_MIN else f"<{PERCENT_SHOWN_MIN}%"
    return f"{share} ({feature.slots_at_peak:,})"
