"""Counting in SQL: units per pool and slot. The heavy grouping of a statement; ``rules/`` does the arithmetic on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Final, cast

from pipeline.model.evidence import PRODUCTION, SessionKey
from pipeline.model.instants import Period, day_of
from pipeline.model.statement import VoidEntry
from pipeline.rules.counting import Pool
from pipeline.rules.reading import Judgement
from pipeline.store.arrays import array_parameter
from pipeline.store.client import Client, Parameter
from pipeline.store.voids import VoidFilter

SESSION_DAYS_MAX: Final = 36
"""How many UTC days around a period are read, so that a session that runs over its start or end is seen whole:
evidence spans at most 35 days (RULES 1)."""

_REPORTED: Final = """
SELECT DISTINCT product, country
FROM usage_days
WHERE account = {account:String} AND usage = {production:String}
  AND day >= toDate({from_day:Int32}) AND day < toDate({until_day:Int32})
ORDER BY product, country
"""

_FACTS: Final = """
WITH
judgements AS (
    SELECT j.1 AS code, j.2 AS reported_country, j.3 AS pool_product, j.4 AS pool_country, j.5 AS from_ms,
           j.6 AS until_ms, j.7 AS slot_ms, j.8 AS opening_slot_counts, j.9 AS min_use_ms, j.10 AS by_session
    FROM (SELECT arrayJoin({judgements}) AS j)
),
sessions AS (
    SELECT product, country, machine, user, session,
           toUnixTimestamp64Milli(min(opened_at)) AS opened_ms,
           toUnixTimestamp64Milli(max(last_at)) AS last_ms,
           groupArrayArray(
               arrayMap(slot -> toInt64(toUInt16(day)) * 86400000 + toInt64(slot) * 600000, {used_slots})
           ) AS used_ms
    FROM usage_days
    WHERE account = {account:String} AND usage = {production:String}
      AND day >= toDate({from_day:Int32}) AND day < toDate({until_day:Int32}){without} {not_voided}
    GROUP BY product, country, machine, user, session
)
"""
"""What every count begins with: how use is judged, and the facts. Nothing else reads facts to count them."""

_WITHOUT: Final = """
      AND (product, country, machine, user, session) NOT IN (
          SELECT w.1, w.2, w.3, w.4, w.5 FROM (SELECT arrayJoin({without}) AS w)
      )"""

_COUNTS: Final = """
SELECT pool_product, pool_country, intDiv(at_ms, slot_ms) * slot_ms AS slot_ms_at,
       uniqExact(if(by_session, sipHash128(product, country, machine, user, session), sipHash128(machine))) AS units
FROM sessions
INNER JOIN judgements ON judgements.code = sessions.product AND judgements.reported_country = sessions.country
ARRAY JOIN used_ms AS at_ms
WHERE last_ms - opened_ms >= min_use_ms
  AND slot_ms_at >= from_ms AND slot_ms_at < until_ms
  AND (opening_slot_counts OR intDiv(at_ms, slot_ms) != intDiv(opened_ms, slot_ms))
GROUP BY pool_product, pool_country, slot_ms_at
ORDER BY pool_product, pool_country, slot_ms_at
"""


def reported_codes(client: Client, account: str, period: Period) -> list[tuple[str, str]]:
    """The products and countries, as reported, of which an account has production use in a period."""
    parameters: dict[str, Parameter] = {
        "account": account,
        "production": PRODUCTION,
        "from_day": day_of(period.start_at),
        "until_day": day_of(period.end_at),
    }
    rows = client.query(_REPORTED, parameters).result_rows
    return [(str(product), str(country)) for product, country in rows]


def counting_facts(
    account: str,
    period: Period,
    judgements: Iterable[Judgement],
    without: Set[SessionKey] = frozenset(),
    voids: Sequence[VoidEntry] = (),
) -> tuple[str, dict[str, Parameter]]:
    """The beginning of a query that counts: the tables ``judgements`` and ``sessions``; and its parameters.

    ``without`` are sessions to be left out, as if they had never been. Of the others the use is as ``voids`` leave it,
    their opening and end as evidence tells them.
    """
    rules = [
        (
            j.code, j.reported_country, j.product, j.country, j.from_at, j.until_at, j.policy.slot_ms,
            int(j.policy.opening_slot_counts), j.policy.min_use_ms, int(j.policy.unit == "machine+session"),
        )
        for j in judgements
    ]  # fmt: skip
    kind = "Tuple(String, String, String, String, Int64, Int64, Int64, UInt8, Int64, UInt8)"
    expression, parameters = array_parameter("judgements", kind, rules)
    parameters |= {
        "account": account,
        "production": PRODUCTION,
        "from_day": day_of(period.start_at) - SESSION_DAYS_MAX,
        "until_day": day_of(period.end_at) + SESSION_DAYS_MAX,
    }
    left_out = ""
    if without:
        keys = [(key.product, key.country, key.machine, key.user, key.session) for key in sorted(without)]
        key_expression, more = array_parameter("without", "Tuple(String, String, String, String, String)", keys)
        left_out, parameters = _WITHOUT.replace("{without}", key_expression), parameters | more
    read = VoidFilter.of(voids)
    facts = read.applied_to(_FACTS.replace("{judgements}", expression).replace("{without}", left_out))
    return facts, parameters | dict(read.parameters)


def slot_counts(
    client: Client,
    account: str,
    period: Period,
    judgements: Iterable[Judgement],
    without: Set[SessionKey] = frozenset(),
    voids: Sequence[VoidEntry] = (),
) -> dict[Pool, dict[int, int]]:
    """Units per pool and slot start, slots without use left out; equal to ``rules.counting.slot_counts``."""
    rules = tuple(judgements)
    if not rules:
        return {}
    facts, parameters = counting_facts(account, period, rules, without, voids)
    counts: dict[Pool, dict[int, int]] = {}
    for product, country, slot_at, units in client.query(facts + _COUNTS, parameters).result_rows:
        counts.setdefault((str(product), str(country)), {})[cast(int, slot_at)] = cast(int, units)
    return counts
