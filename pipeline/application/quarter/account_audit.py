"""The store audited: its ledger and lines against what its evidence and orders come to by the plain rules."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import quarter_lines
from pipeline.application.tokens.token_reading import read_token_evidence
from pipeline.model.instants import Period
from pipeline.model.ledger_entries import Debit
from pipeline.model.statements import Line
from pipeline.rules.statement import recount
from pipeline.rules.tokens.ledger_audit import LedgerDifference, audit
from pipeline.store.stored_sessions import Selection, read_sessions


@dataclass(frozen=True, slots=True)
class LedgerAudit:
    """What of a ledger was recomputed, and how it differs."""

    postings: int
    entries: int
    debits: int
    sessions: int
    differences: tuple[LedgerDifference, ...]


@dataclass(frozen=True, slots=True)
class LinesAudit:
    """The lines of a quarter that were counted anew, session by session; those that differ as ``(stored, anew)``."""

    period: str
    lines: int
    sessions: int
    differences: tuple[tuple[Line | None, Line | None], ...]


def audit_ledger(view: AccountView) -> LedgerAudit:
    """Recompute an account's ledger from the stored evidence, as voids leave it, its orders and its contract."""
    evidence = read_token_evidence(view.client, view.token_reading)
    evidence.heed(view.voids)
    entries = [entry for posting in view.postings for entry in posting.entries]
    return LedgerAudit(
        postings=len(view.postings),
        entries=len(entries),
        debits=sum(isinstance(entry.fact, Debit) for entry in entries),
        sessions=len(list(evidence.sessions())),
        differences=tuple(audit(view.postings, view.token_reading, evidence, view.orders)),
    )


def audit_lines(view: AccountView, period: Period) -> LinesAudit:
    """Count a quarter's lines of people and pools without SQL, and compare. Raises ``BeforeFirstRow``."""
    selection = Selection(view.account, period.start_at, period.end_at)
    sessions = read_sessions(view.client, selection, view.voids)
    anew = {_identity(line): line for line in recount.lines(view.reading, view.people, period, sessions)}
    stored = {_identity(line): line for line in quarter_lines(view, period)}
    every = sorted(anew.keys() | stored.keys())
    differences = tuple((stored.get(key), anew.get(key)) for key in every if stored.get(key) != anew.get(key))
    return LinesAudit(period.name, len(every), len(sessions), differences)


def _identity(line: Line) -> tuple[str, str, str]:
    return line.product, line.country, line.model
