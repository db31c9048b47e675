"""Reading what stands behind a line: over-used days and what did not count on them, people and seats, or charges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pipeline.application.quarter_counts import read_pools
from pipeline.application.seat_steps import read_seats
from pipeline.application.slot_reading import read_explanation
from pipeline.application.statement_life import Grounds
from pipeline.application.token_account import read_token_explanation
from pipeline.model.instants import DAY_MS, Period, day_of
from pipeline.model.orders import Logged
from pipeline.model.statements import FlexLine, Line, PooledLine, SeatLine, Statement
from pipeline.rules.explain.flex_explanation import FlexLineExplanation, explain_flex
from pipeline.rules.explain.line_explanation import (
    DAYS_TAKEN_APART_MAX,
    ExplainedLine,
    LineExplanation,
    overused_by_day,
    slots_to_take_apart,
    uncounted_on,
)
from pipeline.rules.explain.seat_explanation import SeatLineExplanation, explain_seats, overflow_of
from pipeline.rules.orders.voids import voids_in_force
from pipeline.rules.people.coverage import Covered
from pipeline.rules.people.holders import people_of
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.charge_explanation import Asked
from pipeline.store.client import Client
from pipeline.store.order_log import read_first_commands
from pipeline.store.stored_sessions import Selection, read_sessions


def read_explained(client: Client, grounds: Grounds, line: Line) -> ExplainedLine:
    """Take a line of the grounds' statement apart. Raises ``BeforeFirstRow``, and ``LedgerBroken`` for charges."""
    match line:
        case PooledLine():
            return read_line_explanation(client, grounds.reading, grounds.statement, line, grounds.logged)
        case SeatLine():
            return _seat_line(client, grounds, line)
        case FlexLine():
            return _flex_line(client, grounds, line)


def read_line_explanation(
    client: Client,
    reading: ContractReading,
    statement: Statement,
    line: PooledLine,
    logged: Sequence[Logged] | None = None,
) -> LineExplanation:
    """Take a pooled line apart, of a statement that was read from this store, under this contract and log.

    The log is what the store holds where none is given.
    """
    log = read_first_commands(client, reading.contract.account) if logged is None else logged
    period, pool = statement.period, (line.product, line.country)
    voids = voids_in_force(log)
    seats, pools = read_pools(client, reading, period, log)
    overused, covered = overused_by_day(reading, line, pools.get(pool, {})), Covered(seats.coverage)
    slots = slots_to_take_apart(line, overused)
    account, codes = reading.contract.account, reading.codes_of(line.product)
    uncounted = []
    for day in [at // DAY_MS for at in slots] or _days_of_use(client, account, period, codes):
        selection = Selection(account, day * DAY_MS, (day + 1) * DAY_MS, codes=codes)
        uncounted += uncounted_on(reading, line, period, day, read_sessions(client, selection), covered, voids)
    return LineExplanation(
        account=statement.account,
        period=period,
        currency=statement.currency,
        line=line,
        tolerance_days=reading.policy_at(*pool, period.start_at).tolerance_days,
        overused=overused,
        apart=tuple(read_explanation(client, reading, *pool, at, log) for at in slots),
        uncounted=tuple(uncounted),
    )


def _seat_line(client: Client, grounds: Grounds, line: SeatLine) -> SeatLineExplanation:
    """The people of a line of seats, with their use of its product in the whole quarter and nobody else's."""
    reading, statement, period = grounds.reading, grounds.statement, grounds.statement.period
    people, voids = people_of(reading.contract, grounds.logged), voids_in_force(grounds.logged)
    seats = read_seats(client, reading, people, period, voids=voids)
    users = (*line.users, *overflow_of(line, seats.named))
    selection = Selection(
        statement.account, period.start_at, period.end_at, codes=reading.codes_of(line.product), users=users
    )
    found = read_sessions(client, selection) if users else []
    told = explain_seats(
        reading,
        period,
        line,
        users,
        found,
        coverage=seats.coverage,
        named=seats.named,
        holdings=people.holdings,
        checkouts=people.checkouts,
        voids=voids,
    )
    return SeatLineExplanation(statement.account, period, statement.currency, line, told)


def _flex_line(client: Client, grounds: Grounds, line: FlexLine) -> FlexLineExplanation:
    """The windows of a line of charges, all of them, with the stretches behind each."""
    statement, period = grounds.statement, grounds.statement.period
    asked = Asked(period.start_at, period.end_at, product=line.product)
    _, explained = read_token_explanation(client, grounds.reading, asked, grounds.logged)
    return explain_flex(statement.account, period, statement.currency, line, explained)


def _days_of_use(client: Client, account: str, period: Period, codes: tuple[str, ...]) -> list[int]:
    """The first UTC days with use of some codes in a period: where nothing counted they are what there is to tell."""
    rows = client.query(
        "SELECT DISTINCT toInt32(toUInt16(day)) AS used FROM usage_days "
        "WHERE account = {account:String} AND has({codes:Array(String)}, product) "
        "AND day >= toDate({from_day:Int32}) AND day < toDate({until_day:Int32}) ORDER BY used LIMIT {most:UInt8}",
        {
            "account": account,
            "codes": list(codes),
            "from_day": day_of(period.start_at),
            "until_day": day_of(period.end_at),
            "most": DAYS_TAKEN_APART_MAX,
        },
    ).result_rows
    return [cast(int, row[0]) for row in rows]
