"""The machines of an account whose evidence may still be missing (RULES 7)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.application.account_view import AccountView
from pipeline.model.instants import Period
from pipeline.rules.statement.silent_machines import SilentMachine, SilentRange
from pipeline.store.silent_sessions import read_silent_machines


@dataclass(frozen=True, slots=True)
class SilentReport:
    """The silent machines by name, and up to when evidence is complete. Where nothing says so, no machine is listed."""

    complete_until: int | None
    machines: tuple[SilentMachine, ...]


def silent_report(view: AccountView, period: Period | None = None) -> SilentReport:
    """The machines last heard in a quarter; without a quarter, as far back as clients may still deliver evidence."""
    if view.complete_until is None:
        return SilentReport(None, ())
    silent = SilentRange.of(view.complete_until, view.contract.lateness_days, period)
    return SilentReport(view.complete_until, read_silent_machines(view.client, view.account, silent))
