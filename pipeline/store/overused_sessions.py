"""Sessions behind over-used slots in SQL: who was in them, what else their users used, who used a product first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from pipeline.model.evidence import PRODUCTION, SessionDay, SessionKey
from pipeline.store.client import Client, Parameter
from pipeline.store.counting.counts import SESSION_DAYS_MAX
from pipeline.store.stored_sessions import DAY_MAX, select_session_days

_OF_CODES: Final = "account = {account:String} AND usage = {production:String} AND has({codes:Array(String)}, product)"

_OVERUSED: Final = (
    "FROM usage_days WHERE " + _OF_CODES + " AND arrayExists("
    "over -> over.1 = toUInt16(day) AND hasAny(used_slots, over.2), {over:Array(Tuple(UInt16, Array(UInt8)))})"
)
"""Rows of sessions with use in an over-used slot."""

_AROUND: Final = " AND day >= toDate({from_day:Int32}) AND day < toDate({until_day:Int32})"

_WHOLE_SESSIONS: Final = (
    _OF_CODES + _AROUND + " AND (product, country, machine, user, session) IN "
    "(SELECT product, country, machine, user, session " + _OVERUSED + ")"
)

_OF_THEIR_USERS: Final = (
    _OF_CODES + " AND has({days:Array(UInt16)}, toUInt16(day)) AND user IN (SELECT user " + _OVERUSED + ")"
)

_OF_PRODUCT: Final = """
FROM usage_days
WHERE account = {account:String} AND usage = {production:String}
  AND arrayExists(
      span -> span.1 = product AND day >= toDate(span.2) AND day < toDate(span.3),
      {spans:Array(Tuple(String, Int32, Int32))}
  )
"""

_FIRST_AT: Final = "(SELECT min(opened_at) " + _OF_PRODUCT + ")"
_FIRST: Final = (
    "SELECT account, product, country, usage, machine, user, session, min(opened_at) "
    "FROM usage_days WHERE account = {account:String} AND usage = {production:String} AND opened_at <= "
    + _FIRST_AT
    + " AND (product, country, machine, user, session) IN (SELECT product, country, machine, user, session "
    + _OF_PRODUCT
    + " AND day <= toDate("
    + _FIRST_AT
    + ") + {session_days:UInt16}) GROUP BY account, product, country, usage, machine, user, session"
)
"""Sessions of a product that were opened no later than its first evidence says, by all of their evidence: what one
heartbeat says of the opening need not be what another says, and a code that is replaced is another product before."""


@dataclass(frozen=True, slots=True)
class OverusedUse:
    """Over-used base slots of some codes: ``slots`` are rows ``(day, slots of the day)``.

    ``from_day`` and ``until_day`` are those of the period whose sessions are read whole.
    """

    account: str
    codes: tuple[str, ...]
    slots: tuple[tuple[int, list[int]], ...]
    from_day: int
    until_day: int

    @property
    def parameters(self) -> dict[str, Parameter]:
        """As the queries of this file have them bound."""
        return {
            "account": self.account,
            "production": PRODUCTION,
            "codes": list(self.codes),
            "over": list(self.slots),
            "from_day": max(self.from_day - SESSION_DAYS_MAX, 0),
            "until_day": min(self.until_day + SESSION_DAYS_MAX, DAY_MAX),
        }


def days_of_overused_sessions(client: Client, use: OverusedUse) -> list[SessionDay]:
    """All days, in and around the period, of the sessions with use in the over-used slots."""
    return select_session_days(client, _WHOLE_SESSIONS, use.parameters)


def days_of_their_users(client: Client, use: OverusedUse, days: Iterable[int]) -> list[SessionDay]:
    """What the users of those sessions used of the same codes on these days."""
    return select_session_days(client, _OF_THEIR_USERS, {**use.parameters, "days": list(days)})


def first_sessions(client: Client, account: str, spans: Iterable[tuple[str, int, int]]) -> frozenset[SessionKey]:
    """The account's first sessions ever: several where several were opened at that very instant.

    ``spans`` are the rows ``(code, from_day, until_day)`` of a product.
    """
    parameters: dict[str, Parameter] = {
        "account": account, "production": PRODUCTION, "spans": list(spans), "session_days": SESSION_DAYS_MAX
    }  # fmt: skip
    opened = {
        SessionKey(*cast(tuple[str, ...], key)): cast(datetime, opened_at)
        for *key, opened_at in client.query(_FIRST, parameters).result_rows
    }
    first_at = min(opened.values(), default=None)
    return frozenset(session for session, opened_at in opened.items() if opened_at == first_at)
