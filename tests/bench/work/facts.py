"""Session days generated straight into a store, by ClickHouse itself."""

from __future__ import annotations

from typing import Final

from pipeline.model.instants import DAY_MS
from pipeline.store.client import Client

_QUARTER: Final = """
INSERT INTO usage_days
SELECT {account:String}, concat('P', leftPad(toString(machine % 20), 2, '0')), 'CZ', 'production',
       toDate({first_day:Int32} + day) AS on_day, concat('ws-', leftPad(toString(machine), 5, '0')),
       concat('user', leftPad(toString(machine % 4700), 5, '0'), '@', {account:String}, '.example'),
       concat('01JD5Y', hex(sipHash64(machine, day, part))),
       fromUnixTimestamp64Milli(toInt64(toUInt16(on_day)) * 86400000 + opening * 60000, 'UTC') AS opened,
       fromUnixTimestamp64Milli(toInt64(toUInt16(on_day)) * 86400000 + (opening + minutes) * 60000, 'UTC') AS last,
       arrayMap(slot -> toUInt8(slot), range(intDiv(opening, 10), intDiv(opening + minutes, 10) + 1)),
       map(toUnixTimestamp64Milli(opened), toUnixTimestamp64Milli(last)), '10.17.2', last, last
FROM
(
    SELECT intDiv(number, {days:UInt32} * 22) AS group, number % {days:UInt32} AS day,
           intDiv(number, {days:UInt32}) % 22 AS nth,
           group * 10 + nth % 10 AS machine, intDiv(nth, 10) AS part,
           multiIf(part = 0, 300, part = 1, 500, 800) + sipHash64(machine, day, part) % 120 AS opening,
           400 + sipHash64(day, machine, part) % 220 AS minutes_wished, least(minutes_wished, 1439 - opening) AS minutes
    FROM numbers({machines:UInt32} * {days:UInt32} * 22 / 10)
)
"""
"""A machine has two sessions a day, each fifth a third: eight hours and more of slots, fifty to a session."""

_OPEN: Final = """
INSERT INTO usage_days
SELECT concat('account-', leftPad(toString(number % 100), 3, '0')), concat('P', leftPad(toString(number % 5), 2, '0')),
       'CZ', 'production', toDate({day:Int32}), concat('ws-', leftPad(toString(intDiv(number, 100)), 6, '0')),
       concat('user', leftPad(toString(intDiv(number, 100)), 6, '0'), '@example'), concat('01JD5Z', toString(number)),
       fromUnixTimestamp64Milli({opened_at:Int64}, 'UTC'),
       fromUnixTimestamp64Milli({opened_at:Int64} + 14400000, 'UTC'),
       arrayMap(slot -> toUInt8(slot), range(48, 73)), map({opened_at:Int64}, {opened_at:Int64} + 14400000), '10.17.2',
       now64(3, 'UTC'), now64(3, 'UTC')
FROM numbers({sessions:UInt32})
"""


def insert_quarter(client: Client, account: str, first_day: int, days: int, machines: int) -> None:
    """About ``2.2 * machines`` sessions on each of ``days`` UTC days, over 20 products."""
    client.command(
        _QUARTER, {"account": account, "first_day": first_day, "days": days, "machines": machines}
    )  # fmt: skip


def insert_open_sessions(client: Client, sessions: int, day: int) -> None:
    """Sessions of 100 accounts, opened at 08:00 of a day and in use until 12:00."""
    client.command(_OPEN, {"sessions": sessions, "day": day, "opened_at": day * DAY_MS + 8 * 3_600_000})
