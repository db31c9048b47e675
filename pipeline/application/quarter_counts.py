"""A statement from the store: counts by SQL, arithmetic by ``rules/`` (ARCHITECTURE, ClickHouse)."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Literal, cast

from pipeline.application.seat_steps import SeatSteps, judgements_of, read_seats
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import Period
from pipeline.model.orders import Logged
from pipeline.model.statements import Basis, Line, Statement
from pipeline.rules.orders.voids import voids_in_force
from pipeline.rules.people.holders import people_of
from pipeline.rules.pool.counting import Pool
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.completeness import complete_in
from pipeline.rules.statement.lines import statement_lines
from pipeline.store.client import Client
from pipeline.store.completeness_marks import read_complete_until
from pipeline.store.counts import slot_counts
from pipeline.store.order_log import read_first_commands
from pipeline.store.uncovered_counts import uncovered_counts
from pipeline.store.void_filter import voids_shown


def read_statement(
    client: Client,
    reading: ContractReading,
    period: Period,
    *,
    seatbeat: str,
    engine: Literal["embedded", "server"],
    logged: Sequence[Logged] | None = None,
) -> Statement:
    """The open statement of the contract's account for a quarter, after its commands in log order, no id twice.

    They are those that the store holds where none are given.
    Raises ``BeforeFirstRow`` where a policy of the contract says nothing of some day in the period.
    """
    account = reading.contract.account
    log = read_first_commands(client, account) if logged is None else logged
    return Statement(
        account=account,
        period=period,
        currency=reading.contract.currency,
        lines=read_lines(client, reading, period, log),
        basis=Basis(
            complete_until=complete_in(period, read_complete_until(client, account)),
            heartbeats=_number(client, _HEARTBEATS, account),
            dead_letters=_number(client, _DEAD_LETTERS, account),
            contract=reading.contract.content_hash,
            seatbeat=seatbeat,
            engine=engine,
        ),
        voids=voids_shown(client, account, period, voids_in_force(log)),
    )


def read_lines(
    client: Client,
    reading: ContractReading,
    period: Period,
    logged: Sequence[Logged] = (),
    without: Set[SessionKey] = frozenset(),
) -> tuple[Line, ...]:
    """The lines of a quarter under any contract of the account and after any of its commands.

    ``without`` are sessions to be left out, as if they had never been. One query counts; where named seats are in
    force another one says who took them. Raises ``BeforeFirstRow``.
    """
    seats, counts = read_pools(client, reading, period, logged, without)
    return statement_lines(reading, period, counts, seats.held, seats.named)


def read_pools(
    client: Client,
    reading: ContractReading,
    period: Period,
    logged: Sequence[Logged] = (),
    without: Set[SessionKey] = frozenset(),
) -> tuple[SeatSteps, dict[Pool, dict[int, int]]]:
    """The seats of people in a quarter, and what is left to the pools: units by slot. Raises ``BeforeFirstRow``."""
    account = reading.contract.account
    judgements = judgements_of(client, reading, period)
    voids = voids_in_force(logged)
    seats = read_seats(client, reading, people_of(reading.contract, logged), period, judgements, without, voids)
    if seats.coverage or seats.offline:
        counts = uncovered_counts(client, account, period, judgements, seats.coverage, seats.offline, without, voids)
    else:
        counts = slot_counts(client, account, period, judgements, without, voids)
    return seats, counts


_HEARTBEATS = """
SELECT sum(arraySum(mapValues(heartbeats)))
FROM (SELECT heartbeats FROM deliveries FINAL WHERE account = {account:String})
"""

_DEAD_LETTERS = """
SELECT uniqExact(log, topic, partition, offset, `index`)
FROM dead_letters
WHERE account = {account:String} OR account = ''
"""


def _number(client: Client, query: str, account: str) -> int:
    return cast(int, client.query(query, {"account": account}).result_rows[0][0])


def latest_evidence_at(client: Client, account: str) -> int | None:
    """The latest instant any stored evidence of an account speaks of, ``None`` without any."""
    rows = client.query(
        "SELECT toUnixTimestamp64Milli(max(last_at)), count() FROM usage_days WHERE account = {account:String}",
        {"account": account},
    ).result_rows
    latest_at, rows_found = cast(tuple[int, int], rows[0])
    return latest_at if rows_found else None
