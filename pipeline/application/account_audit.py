"""The store audited: its ledger and lines against what its evidence and commands come to by the plain rules."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.application.quarter_counts import read_lines
from pipeline.application.token_settlement import read_token_evidence, token_reading
from pipeline.model.instants import Period
from pipeline.model.ledger_entries import Debit
from pipeline.model.statements import Line
from pipeline.rules.orders.voids import voids_in_force
from pipeline.rules.people.holders import people_of
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement import recount
from pipeline.rules.tokens.ledger_audit import LedgerDifference, audit
from pipeline.store.client import Client
from pipeline.store.order_log import read_first_commands
from pipeline.store.postings import read_postings
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


def audit_ledger(client: Client, reading: ContractReading) -> LedgerAudit:
    """Recompute an account's ledger from the stored evidence, as voids leave it, its commands and its contract."""
    account = reading.contract.account
    logged, postings = read_first_commands(client, account), read_postings(client, account)
    tokens = token_reading(reading, logged)
    evidence = read_token_evidence(client, tokens)
    evidence.heed(voids_in_force(logged))
    entries = [entry for posting in postings for entry in posting.entries]
    return LedgerAudit(
        postings=len(postings),
        entries=len(entries),
        debits=sum(isinstance(entry.fact, Debit) for entry in entries),
        sessions=len(list(evidence.sessions())),
        differences=tuple(audit(postings, tokens, evidence, logged)),
    )


def audit_lines(client: Client, reading: ContractReading, period: Period) -> LinesAudit:
    """Count a quarter's lines of people and pools without SQL, and compare. Raises ``BeforeFirstRow``."""
    account = reading.contract.account
    logged = read_first_commands(client, account)
    selection = Selection(account, period.start_at, period.end_at)
    sessions = read_sessions(client, selection, voids_in_force(logged))
    people = people_of(reading.contract, logged)
    anew = {_identity(line): line for line in recount.lines(reading, people, period, sessions)}
    told = {_identity(line): line for line in read_lines(client, reading, period, logged)}
    every = sorted(anew.keys() | told.keys())
    found = tuple((told.get(key), anew.get(key)) for key in every if told.get(key) != anew.get(key))
    return LinesAudit(period.name, len(every), len(sessions), found)


def _identity(line: Line) -> tuple[str, str, str]:
    return line.product, line.country, line.model
