"""Reading what stands behind an amount: the over-used days of a line, and what was used on them and did not count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pipeline.model.commands import Logged
from pipeline.model.instants import DAY_MS, Period, day_of
from pipeline.model.statement import PooledLine, Statement
from pipeline.rules.coverage import Covered
from pipeline.rules.explain_line import (
    DAYS_TAKEN_APART_MAX,
    LineExplanation,
    overused_by_day,
    slots_to_take_apart,
    uncounted_on,
)
from pipeline.rules.reading import ContractReading
from pipeline.rules.voids import voids_in_force
from pipeline.store.client import Client
from pipeline.store.commands import read_first_commands
from pipeline.store.explain import read_explanation
from pipeline.store.sessions import Selection, read_sessions
from pipeline.store.statements import read_pools


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
