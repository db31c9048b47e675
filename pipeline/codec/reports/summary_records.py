"""The summary of a log without a contract, as records for JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from pipeline.model.instants import HOUR_MS, Period, iso
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.summary.feature_summary import FeatureSummary

SUMMARY_VERSION = 1


class SummaryRecord(TypedDict):
    """A feature in a quarter.

    ``slots_at_peak`` of ``slots_counted`` slots hold the peak; ``hours`` is how long a session was open, summed over
    machines; ``true_denials`` is ``null`` where the files tell no denials.
    """

    period: str
    feature: str
    peak: int
    peak_slot: str | None
    slots_at_peak: int
    slots_counted: int
    users: int
    hours: float
    sessions: int
    sessions_under_min_use: int
    true_denials: int | None


SummaryDocument = TypedDict(
    "SummaryDocument", {"v": int, "from": str, "until": str, "policy": str, "features": list[SummaryRecord]}
)
"""The whole summary: what the files speak for, the rule that counted, and every feature of every quarter."""


def summary_record(period: Period, summary: FeatureSummary) -> SummaryRecord:
    """A feature's use in a quarter; hours to two decimals."""
    return {
        "period": period.name,
        "feature": summary.feature,
        "peak": summary.peak,
        "peak_slot": None if summary.peak_at is None else iso(summary.peak_at),
        "slots_at_peak": summary.slots_at_peak,
        "slots_counted": summary.slots_counted,
        "users": summary.users,
        "hours": round(summary.open_ms / HOUR_MS, 2),
        "sessions": summary.sessions,
        "sessions_under_min_use": summary.brief_sessions,
        "true_denials": summary.true_denials,
    }


def summary_document(
    first_at: int, last_at: int, policy: MeteringPolicy, records: Iterable[SummaryRecord]
) -> SummaryDocument:
    """The summary as programs read it."""
    return {
        "v": SUMMARY_VERSION,
        "from": iso(first_at),
        "until": iso(last_at),
        "policy": policy.id,
        "features": list(records),
    }
