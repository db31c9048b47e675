"""A statement and stored usage computed a second time, from the raw input by the pure rules alone: the auditor."""

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
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.pool.term_licenses import pooled_lines


def valid(values: Iterable[bytes | None], account: str = "") -> list[Heartbeat]:
    """The valid heartbeats of some lines or messages, of one account where one is named."""
    return [one for value in values for one in decode(value).heartbeats if account in {"", one.account}]


def counts_of(contract: Contract, heartbeats: Iterable[Heartbeat], period: Period) -> dict[Pool, dict[int, int]]:
    """Units per pool and slot of the contract's account."""
    used = sessions(fold(one for one in heartbeats if one.account == contract.account))
    reading = ContractReading(contract, metering_catalogue())
    reported = {(one.key.product, one.key.country) for one in used if one.key.usage == PRODUCTION}
    return slot_counts(used, reading.judgements_of(reported, period))


def lines_of(contract: Path, values: Iterable[bytes | None], period: str) -> list[LineRecord]:
    """The lines of the statement that these lines or messages make."""
    terms, quarter = load_contract(contract), Period.parse(period)
    reading = ContractReading(terms, metering_catalogue())
    counts = counts_of(terms, valid(values), quarter)
    return [line_record(line, terms.currency) for line in pooled_lines(reading, quarter, counts)]


def usage_of(values: Iterable[bytes | None]) -> list[SessionDay]:
    """What must be stored of these lines or messages, sorted, whenever it was received."""
    return [unreceived(day) for day in fold(valid(values))]


def unreceived(day: SessionDay) -> SessionDay:
    """A session day without when it was received, the only thing in it that a replay may change."""
    return replace(day, stretches=dict(sorted(day.stretches.items())), received_min_at=0, received_max_at=0)
