"""Sessions read back: who used what, when, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from pipeline.model.evidence import SessionDay, SessionKey
from pipeline.model.instants import BASE_SLOT_MS, day_of
from pipeline.model.statements import VoidEntry
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.store.client import Client, Parameter
from pipeline.store.counting.counts import SESSION_DAYS_MAX
from pipeline.store.counting.void_filter import VoidFilter


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sessions to read: those of one account with a used slot in ``[from_at, until_at)``.

    ``codes`` are products as reported; empty texts and tuples select everything. Users and machines are folded.
    """

    account: str
    from_at: int
    until_at: int
    codes: tuple[str, ...] = ()
    user: str = ""
    machine: str = ""
    usage: str = field(default="")
    users: tuple[str, ...] = ()


DAY_MAX: Final = 65_535
"""The last day that a ``Date`` can hold; the first is 0."""

_FILTERS: Final = {
    "codes": "has({codes:Array(String)}, product)",
    "user": "user = {user:String}",
    "machine": "machine = {machine:String}",
    "usage": "usage = {usage:String}",
    "users": "has({users:Array(String)}, user)",
}

_COLUMNS: Final = """
SELECT account, product, country, usage, machine, user, session, toInt32(toUInt16(day)),
       toUnixTimestamp64Milli(opened_at), toUnixTimestamp64Milli(last_at), {used_slots}, stretches, version,
       toUnixTimestamp64Milli(received_min_at), toUnixTimestamp64Milli(received_max_at)
"""

_SESSION_DAYS: Final = (
    _COLUMNS
    + """
FROM usage_days FINAL
WHERE account = {account:String} AND day >= toDate({from_day:Int32}) AND day < toDate({until_day:Int32})
  {not_voided}
"""
)


_USED_IN: Final = """  AND sipHash128(product, country, usage, machine, user, session) IN (
      SELECT sipHash128(product, country, usage, machine, user, session)
      FROM usage_days
      WHERE account = {account:String} AND day >= toDate({used_from_day:Int32}) AND day < toDate({used_until_day:Int32})
        AND arrayExists(
            slot -> toInt64(toUInt16(day)) * 144 + slot >= {used_from_slot:Int64}
                AND toInt64(toUInt16(day)) * 144 + slot < {used_until_slot:Int64},
            used_slots
        )
"""
"""Only sessions with use in a range of base slots, with all their days."""


def read_session_days(
    client: Client, selection: Selection, *, whole_sessions: bool = False, voids: Sequence[VoidEntry] = ()
) -> list[SessionDay]:
    """The merged session days of a selection under voids.

    ``whole_sessions``: all days of the sessions that have a used slot in the selection's range, voided or not.
    """
    beyond_days = SESSION_DAYS_MAX if whole_sessions else 0
    read = VoidFilter.of(voids)
    parameters: dict[str, Parameter] = {
        **read.parameters,
        "account": selection.account,
        "from_day": _stored_day(day_of(selection.from_at) - beyond_days),
        "until_day": _stored_day(day_of(selection.until_at - 1) + 1 + beyond_days),
    }
    conditions = ""
    for name, condition in _FILTERS.items():
        value = getattr(selection, name)
        if value:
            conditions += f"  AND {condition}\n"
            parameters[name] = list(value) if isinstance(value, tuple) else value
    query = read.applied_to(_SESSION_DAYS) + conditions
    if whole_sessions:
        query += f"{_USED_IN}{conditions})"
        parameters |= _used_in(selection)
    rows = client.query(query, parameters).result_rows
    return [_session_day(cast(_Columns, row)) for row in rows]


def select_session_days(client: Client, condition: str, parameters: Mapping[str, Parameter]) -> list[SessionDay]:
    """The merged session days that meet a condition, which is SQL of our own over the key columns."""
    query = f"{VoidFilter().applied_to(_COLUMNS)} FROM usage_days FINAL WHERE {condition}"
    return [_session_day(cast(_Columns, row)) for row in client.query(query, parameters).result_rows]


def _used_in(selection: Selection) -> dict[str, Parameter]:
    from_slot, until_slot = -(-selection.from_at // BASE_SLOT_MS), -(-selection.until_at // BASE_SLOT_MS)
    return {
        "used_from_day": _stored_day(day_of(selection.from_at)),
        "used_until_day": _stored_day(day_of(selection.until_at - 1) + 1),
        "used_from_slot": from_slot,
        "used_until_slot": until_slot,
    }


def _stored_day(day: int) -> int:
    """A day as ``Date`` can hold it; beyond 2149 ClickHouse would take the number for seconds."""
    return min(max(day, 0), DAY_MAX)


def read_sessions(client: Client, selection: Selection, voids: Sequence[VoidEntry] = ()) -> list[Session]:
    """The sessions of a selection with all their days, sorted by opening; their used slots without voided ones."""
    chosen = [
        session
        for session in sessions(read_session_days(client, selection, whole_sessions=True, voids=voids))
        if any(selection.from_at <= used_at < selection.until_at for used_at in session.used_at())
    ]
    return sorted(chosen, key=lambda session: (session.opened_at, session.key))


_Columns = tuple[
    str, str, str, str, str, str, str, int, int, int, list[int], dict[int, int], str, int, int
]  # fmt: skip


def _session_day(row: _Columns) -> SessionDay:
    mask = 0
    for slot in row[10]:
        mask |= 1 << slot
    return SessionDay(
        session=SessionKey(*row[:7]),
        day=row[7],
        opened_at=row[8],
        last_at=row[9],
        used_slots=mask,
        stretches=dict(sorted(row[11].items())),
        version=row[12],
        received_min_at=row[13],
        received_max_at=row[14],
    )


def first_days_of_months(client: Client, account: str) -> list[int]:
    """The first UTC day of every month in which an account has use, ascending."""
    rows = client.query(
        "SELECT DISTINCT toInt32(toUInt16(toStartOfMonth(day))) AS first FROM usage_days "
        "WHERE account = {account:String} ORDER BY first",
        {"account": account},
    ).result_rows
    return [cast(int, first_day) for (first_day,) in rows]


def days_with_use(
    client: Client, account: str, codes: Sequence[str], from_day: int, until_day: int, limit: int
) -> list[int]:
    """The first UTC days in ``[from_day, until_day)`` with use of any of the codes, at most ``limit``."""
    rows = client.query(
        "SELECT DISTINCT toInt32(toUInt16(day)) AS used FROM usage_days "
        "WHERE account = {account:String} AND has({codes:Array(String)}, product) "
        "AND day >= toDate({from_day:Int32}) AND day < toDate({until_day:Int32}) ORDER BY used LIMIT {limit:UInt8}",
        {"account": account, "codes": list(codes), "from_day": from_day, "until_day": until_day, "limit": limit},
    ).result_rows
    return [cast(int, day) for (day,) in rows]
