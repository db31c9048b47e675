"""Recomputes a statement and the stored usage from the raw input with the pure rules alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipeline.codec.contract.examination import load_contract
from pipeline.codec.statement.line_json import LineRecord, line_record
from pipeline.codec.topics.heartbeats import decode
from pipeline.model.contracts import Contract
from pipeline.model.evidence import PRODUCTION, Heartbeat, SessionDay
from pipeline.model.instants import Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.pool.counting import Pool, slot_counts
from pipeline.rules.pool.pooled_lines import pooled_lines
from pipeline.rules.pool.reading import ContractReading


def valid(values: Iterable[bytes | None], account: str = "") -> list[Heartbeat]:
    """The valid heartbeats of lines or messages, only those of ``account`` if it is not empty."""
    return [
        heartbeat for value in values for heartbeat in decode(value).heartbeats if account in {"", heartbeat.account}
    ]


def counts_of(contract: Contract, heartbeats: Iterable[Heartbeat], period: Period) -> dict[Pool, dict[int, int]]:
    """Units per pool and slot of the contract's account."""
    used = sessions(fold(heartbeat for heartbeat in heartbeats if heartbeat.account == contract.account))
    reading = ContractReading(contract, metering_catalogue())
    reported = {(session.key.product, session.key.country) for session in used if session.key.usage == PRODUCTION}
    return slot_counts(used, reading.judgements_of(reported, period))


def lines_of(contract: Path, values: Iterable[bytes | None], period: str) -> list[LineRecord]:
    """The statement's lines that follow from these lines or messages."""
    terms, quarter = load_contract(contract), Period.parse(period)
    reading = ContractReading(terms, metering_catalogue())
    counts = counts_of(terms, valid(values), quarter)
    return [line_record(line, terms.currency) for line in pooled_lines(reading, quarter, counts)]


def usage_of(values: Iterable[bytes | None]) -> list[SessionDay]:
    """The session days that must be stored for these lines or messages, sorted, without the times of receipt."""
    return [unreceived(day) for day in fold(valid(values))]


def unreceived(day: SessionDay) -> SessionDay:
    """A session day without its times of receipt, the only fields that a replay may change."""
    return replace(day, stretches=dict(sorted(day.stretches.items())), received_min_at=0, received_max_at=0)
