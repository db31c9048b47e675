"""Silent machines in SQL: unclosed sessions that were last heard within a range; equal to ``silent_machines``
in ``rules/statement``."""

from __future__ import annotations

from typing import Final, cast

from pipeline.model.evidence import PRODUCTION
from pipeline.model.instants import day_of
from pipeline.rules.statement.silent_machines import SilentMachine, SilentRange
from pipeline.store.client import Client, Parameter

_SILENT: Final = """
WITH
heard AS (
    SELECT product, country, machine, user, session, toUnixTimestamp64Milli(max(last_at)) AS heard_at
    FROM usage_days
    WHERE account = {account:String} AND usage = {production:String} AND day >= toDate({from_day:Int32})
    GROUP BY product, country, machine, user, session
    HAVING heard_at BETWEEN {from_at:Int64} AND {until_at:Int64}
),
closed AS (
    SELECT product, country, machine, user, session, toUnixTimestamp64Milli(max(closed_at)) AS closed_ms, 1 AS is_closed
    FROM session_closes
    WHERE account = {account:String} AND usage = {production:String}
    GROUP BY product, country, machine, user, session
)
SELECT machine, toInt64(count()), max(heard_at), arraySort(groupUniqArray(user)),
       arraySort(groupUniqArray(toString(product)))
FROM heard
LEFT JOIN closed USING (product, country, machine, user, session)
WHERE is_closed = 0 OR closed_ms < heard_at
GROUP BY machine
ORDER BY machine
"""

_Row = tuple[str, int, int, list[str], list[str]]


def read_silent_machines(client: Client, account: str, silent: SilentRange) -> tuple[SilentMachine, ...]:
    """The silent machines of an account, sorted by name."""
    if silent.from_at > silent.until_at:
        return ()
    parameters: dict[str, Parameter] = {
        "account": account,
        "production": PRODUCTION,
        "from_day": max(day_of(silent.from_at), 0),
        "from_at": silent.from_at,
        "until_at": silent.until_at,
    }
    rows = cast("list[_Row]", client.query(_SILENT, parameters).result_rows)
    return tuple(
        SilentMachine(machine, sessions, last_at, tuple(users), tuple(products))
        for machine, sessions, last_at, users, products in rows
    )
