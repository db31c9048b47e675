"""Reading what a dispute packet needs: who counted in the over-used slots, and what else bears on them (RULES 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, cast

from pipeline.application.quarter_counts import read_pools
from pipeline.model.evidence import PRODUCTION, SessionKey
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS, Period, day_of
from pipeline.model.orders import Logged
from pipeline.model.statements import PooledLine, Statement
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.dispute.packet_assembly import Findings, assemble_packet
from pipeline.rules.evidence.merge import slot_mask, slots_of
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.orders.voids import voids_in_force, without_voided
from pipeline.rules.people.coverage import Covered
from pipeline.rules.pool.overused_slots import OverusedSlot, overused_slots
from pipeline.rules.pool.pooled_lines import pooled_line
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client, Parameter
from pipeline.store.counts import SESSION_DAYS_MAX
from pipeline.store.order_log import read_first_commands
from pipeline.store.stored_sessions import select_session_days

_BEGINNING: Final = 0
_END: Final = 65_535
"""The first and the last day that a ``Date`` can hold."""

_OF_CODES: Final = "account = {account:String} AND usage = {production:String} AND has({codes:Array(String)}, product)"

_OVERUSED: Final = (
    "FROM usage_days WHERE " + _OF_CODES + " AND arrayExists("
    "over -> over.1 = toUInt16(day) AND hasAny(used_slots, over.2), {over:Array(Tuple(UInt16, Array(UInt8)))})"
)
"""Rows of sessions with use in an over-used slot."""

_AROUND: Final = " AND day >= toDate({from_day:Int32}) AND day < toDate({until_day:Int32})"

_FOUND: Final = (
    _OF_CODES + _AROUND + " AND (product, country, machine, user, session) IN "
    "(SELECT product, country, machine, user, session " + _OVERUSED + ")"
)

_OTHERS: Final = _OF_CODES + " AND has({days:Array(UInt16)}, toUInt16(day)) AND user IN (SELECT user " + _OVERUSED + ")"

_OF_PRODUCT: Final = """
FROM usage_days
WHERE account = {account:String} AND usage = {production:String}
  AND arrayExists(
      span -> span.1 = product AND day >= toDate(span.2) AND day < toDate(span.3),
      {spans:Array(Tuple(String, Int32, Int32))}
  )
"""

_FIRST: Final = (
    "SELECT DISTINCT account, product, country, usage, machine, user, session "
    + _OF_PRODUCT
    + "AND opened_at = (SELECT min(opened_at) "
    + _OF_PRODUCT
    + ")"
)


def read_packet(
    client: Client,
    reading: ContractReading,
    statement: Statement,
    line: PooledLine,
    invoice: str = "",
    logged: Sequence[Logged] | None = None,
) -> Packet:
    """The packet of an over-used line of a statement that was read from this store, under this contract and log.

    The log is what the store holds where none is given. What its voids leave out is no evidence.
    """
    period, pool = statement.period, (line.product, line.country)
    log = read_first_commands(client, reading.contract.account) if logged is None else logged
    voids = voids_in_force(log)
    seats, pools = read_pools(client, reading, period, log)
    counts = pools.get(pool, {})
    parameters = _parameters(reading, period, line, overused_slots(reading, *pool, counts))
    found = tuple(without_voided(_sessions(client, _FOUND, parameters), voids))
    days = sorted({day for one in found for day in one.used_slots})
    findings = Findings(
        counts=counts,
        used=found,
        others=tuple(without_voided(_sessions(client, _OTHERS, {**parameters, "days": days}), voids)),
        first=_first_sessions(client, reading, line.product),
        covered=Covered(seats.coverage),
    )

    def recount(without: frozenset[SessionKey]) -> PooledLine:
        _, left = read_pools(client, reading, period, log, without)
        return pooled_line(reading, *pool, period, left.get(pool, {}))

    return assemble_packet(
        reading, period, line, findings, recount, state=statement.state, basis=statement.basis, invoice=invoice
    )


def _parameters(
    reading: ContractReading, period: Period, line: PooledLine, overused: Iterable[OverusedSlot]
) -> dict[str, Parameter]:
    over: dict[int, int] = {}
    for one in overused:
        day, first = divmod(one.slot_at, DAY_MS)
        last = (one.until_at - 1 - day * DAY_MS) // BASE_SLOT_MS
        over[day] = over.get(day, 0) | slot_mask(first // BASE_SLOT_MS, last)
    return {
        "account": reading.contract.account,
        "production": PRODUCTION,
        "codes": list(reading.codes_of(line.product)),
        "over": [(day, list(slots_of(mask))) for day, mask in sorted(over.items())],
        "from_day": max(day_of(period.start_at) - SESSION_DAYS_MAX, _BEGINNING),
        "until_day": min(day_of(period.end_at) + SESSION_DAYS_MAX, _END),
    }


def _sessions(client: Client, condition: str, parameters: dict[str, Parameter]) -> tuple[Session, ...]:
    return tuple(sessions(select_session_days(client, condition, parameters)))


def _first_sessions(client: Client, reading: ContractReading, product: str) -> frozenset[SessionKey]:
    """The account's first sessions of a product ever: several where several were opened at that very instant."""
    parameters: dict[str, Parameter] = {
        "account": reading.contract.account,
        "production": PRODUCTION,
        "spans": [span for code in reading.codes_of(product) for span in _spans(reading, product, code)],
    }
    rows = client.query(_FIRST, parameters).result_rows
    return frozenset(SessionKey(*cast(tuple[str, ...], row)) for row in rows)


def _spans(reading: ContractReading, product: str, code: str) -> Iterator[tuple[str, int, int]]:
    """The days on which use of a code is use of a product."""
    changes = {_BEGINNING, _END}
    for listed in reading.contract.products.values():
        for old in listed.replaces:
            changes |= {day_of(at) for at in (old.from_at, old.until_at) if at is not None}
    for from_day, until_day in pairwise(sorted(day for day in changes if _BEGINNING <= day <= _END)):
        if reading.product_at(code, from_day * DAY_MS) == product:
            yield code, from_day, until_day
