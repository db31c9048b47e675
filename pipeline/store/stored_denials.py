"""Reading denials back, and the checkouts that tell the true ones apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from pipeline.codec.topics.denial_messages import Denial
from pipeline.model.instants import day_of
from pipeline.rules.evidence.true_denials import ANSWERED_WITHIN_MS
from pipeline.store.client import Client, Parameter

_DATE_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class DenialFilter:
    """Which denials: those of an account in ``[from_at, until_at)``. Empty texts and tuples select everything.

    ``features`` are named as the server names them; ``user`` is folded.
    """

    account: str
    from_at: int
    until_at: int
    features: tuple[str, ...] = ()
    user: str = ""


_FILTERS: Final = {"features": "has({features:Array(String)}, feature)", "user": "user = {user:String}"}
_DENIALS: Final = """
SELECT account, id, kind, toUnixTimestamp64Milli(at), feature, user, machine, detail, source, line
FROM denials FINAL
WHERE account = {account:String}
  AND toUnixTimestamp64Milli(at) >= {from_at:Int64} AND toUnixTimestamp64Milli(at) < {until_at:Int64}
"""
_CHECKOUTS: Final = """
SELECT product, user, toUnixTimestamp64Milli(min(first_at)) AS opened
FROM
(
    SELECT product, country, usage, machine, user, session, opened_at AS first_at
    FROM usage_days
    WHERE account = {account:String} AND has({users:Array(String)}, user)
      AND day >= toDate({from_day:Int32}) AND day <= toDate({until_day:Int32})
    UNION ALL
    SELECT product, country, usage, machine, user, session, closed_at AS first_at
    FROM session_closes
    WHERE account = {account:String} AND has({users:Array(String)}, user)
      AND toUnixTimestamp64Milli(closed_at) >= {from_at:Int64}
      AND toUnixTimestamp64Milli(closed_at) <= {until_at:Int64}
)
GROUP BY product, country, usage, machine, user, session
HAVING opened >= {from_at:Int64} AND opened <= {until_at:Int64}
"""
"""A licence that was given back in the instant it was taken left no session day, but a close at that instant."""


def read_denials(client: Client, wanted: DenialFilter) -> list[Denial]:
    """The denials of a filter in order of time, each once however often it was delivered."""
    parameters: dict[str, Parameter] = {
        "account": wanted.account,
        "from_at": wanted.from_at,
        "until_at": wanted.until_at,
    }
    query = _DENIALS
    for name, condition in _FILTERS.items():
        value = getattr(wanted, name)
        if value:
            query += f"  AND {condition}\n"
            parameters[name] = list(value) if isinstance(value, tuple) else value
    rows = client.query(f"{query}ORDER BY at, source, line, id", parameters).result_rows
    return [Denial(*cast(tuple[str, str, str, int, str, str, str, str, str, int], row)) for row in rows]  # type: ignore[arg-type]  # a stored kind was read by the codec


def read_checkouts_after(client: Client, denials: Iterable[Denial]) -> list[tuple[str, str, int]]:
    """Every checkout, as (feature, user, at), that may have followed one of these denials, which are of one account.

    Voids do not matter here: what does not count was a checkout all the same.
    """
    asked = list(denials)
    if not asked:
        return []
    from_at = min(denial.at for denial in asked)
    until_at = max(denial.at for denial in asked) + ANSWERED_WITHIN_MS
    parameters: dict[str, Parameter] = {
        "account": asked[0].account,
        "users": sorted({denial.user for denial in asked}),
        "from_at": from_at,
        "until_at": until_at,
        "from_day": _stored_day(day_of(from_at)),
        "until_day": _stored_day(day_of(until_at) + 1),
    }
    return [cast(tuple[str, str, int], row) for row in client.query(_CHECKOUTS, parameters).result_rows]


def _stored_day(day: int) -> int:
    """A day as ``Date`` can hold it; beyond 2149 ClickHouse would take the number for seconds."""
    return min(max(day, 0), _DATE_MAX)
