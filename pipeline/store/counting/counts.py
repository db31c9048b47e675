"""Counting in SQL: units per pool and slot. The heavy grouping of a statement; ``rules/`` does the arithmetic on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final, cast

from pipeline.model.evidence import PRODUCTION, SessionKey
from pipeline.model.instants import Period, day_of
from pipeline.model.statements import VoidEntry
from pipeline.rules.evidence.span_limit import SPAN_DAYS_MAX
from pipeline.rules.pool.counting import Pool
from pipeline.rules.pool.reading import Judgement
from pipeline.store.client import Client, Parameter
from pipeline.store.counting.arrays import array_parameter
from pipeline.store.counting.void_filter import VoidFilter

SESSION_DAYS_MAX: Final = SPAN_DAYS_MAX + 1
"""How many UTC days before and after a period are read, so that a session that runs over its start or end is seen
whole: evidence spans at most 35 days (``rules/evidence/span_limit.py``), and those touch 36 UTC days."""

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
    SELECT j.1 AS code, j.2 AS reported_country, j.3 AS pool, j.4 AS from_ms, j.5 AS until_ms, j.6 AS slot_ms,
           j.7 AS opening_slot_counts, j.8 AS min_use_ms, j.9 AS by_session
    FROM (SELECT arrayJoin({judgements}) AS j)
),
facts AS (
    SELECT product, country, user, sipHash128(machine) AS machine_hash,
           sipHash128(product, country, machine, user, session) AS session_hash,
           toInt64(toUInt16(day)) * 86400000 AS midnight_ms,
           toUnixTimestamp64Milli(opened_at) AS day_opened_ms, toUnixTimestamp64Milli(last_at) AS day_last_ms,
           {used_slots} AS base_slots
    FROM usage_days FINAL
    WHERE account = {account:String} AND product IN {codes:Array(String)} AND usage = {production:String}
      AND day >= toDate({from_day:Int32}) AND day < toDate({until_day:Int32}){without} {not_voided}
),
lives AS (
    SELECT session_hash AS life_hash, min(day_opened_ms) AS life_opened_ms, max(day_last_ms) AS life_last_ms
    FROM facts
    GROUP BY session_hash
    HAVING count() > 1
),
used AS (
    SELECT pool, user, if(by_session, session_hash, machine_hash) AS unit, midnight_ms, slot_ms,
           if(coalesce(life_last_ms, 0) = 0, day_opened_ms, life_opened_ms) AS opened_ms,
           if(coalesce(life_last_ms, 0) = 0, day_last_ms, life_last_ms) AS last_ms,
           toUInt8(intDiv(slot_ms, 600000)) AS slot_bases,
           if(opening_slot_counts OR opened_ms < midnight_ms OR opened_ms >= midnight_ms + 86400000,
              255, toUInt8(intDiv(opened_ms - midnight_ms, slot_ms))) AS left_out,
           arrayFilter(slot -> slot != left_out, arrayMap(base -> intDiv(base, slot_bases), base_slots)) AS slots
    FROM facts
    INNER JOIN judgements ON judgements.code = facts.product AND judgements.reported_country = facts.country
    LEFT JOIN lives ON lives.life_hash = facts.session_hash
    WHERE midnight_ms >= from_ms AND midnight_ms < until_ms AND last_ms - opened_ms >= min_use_ms
)
"""
"""The beginning of every count: how use is judged, the facts, and which slots of each session day count.

Nothing else reads facts to count them. Policies change at midnight, so a day has one judgement. The life of a session
of one day is read from that day; only the others are gathered by session. Measured over a million session days of 52
million slots (CPU time): uniting by unit and day, then counting, 1.9 s; distinct units per slot 3.0 s by numbers, 6.3 s
by texts.

Two rules stand here in SQL: ``last_ms - opened_ms >= min_use_ms`` is ``rules/pool/min_use.py``, ``left_out`` is
``rules/pool/opening_slot.py``.
"""

_WITHOUT: Final = """
      AND (product, country, machine, user, session) NOT IN (
          SELECT w.1, w.2, w.3, w.4, w.5 FROM (SELECT arrayJoin({without}) AS w)
      )"""

UNITS_BY_SLOT: Final = """
SELECT pool, midnight_ms + slot * slot_ms AS at_ms, count() AS units
FROM (
    SELECT pool, midnight_ms, slot_ms, groupUniqArrayArray(slots) AS unit_slots
    FROM {used}
    GROUP BY pool, midnight_ms, slot_ms, unit
)
ARRAY JOIN unit_slots AS slot
GROUP BY pool, at_ms
ORDER BY pool, at_ms
"""
"""Each unit's slots of a day are united first, so that a slot's rows are its units."""


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


Pools = Mapping[Pool, int]
"""The number of each pool in a query: grouping by texts takes several times as long."""


def number_pools(judgements: Iterable[Judgement]) -> Pools:
    """A number for each pool that use is judged for."""
    return {pool: number for number, pool in enumerate(sorted({(rule.product, rule.country) for rule in judgements}))}


def counting_facts(
    account: str,
    period: Period,
    judgements: Iterable[Judgement],
    pools: Pools,
    without: Set[SessionKey] = frozenset(),
    voids: Sequence[VoidEntry] = (),
) -> tuple[str, dict[str, Parameter]]:
    """The beginning of a query that counts, whose table ``used`` holds what counts; and its parameters.

    ``used`` has rows ``(pool, user, unit, midnight_ms, slot_ms, slots)``: slots by their number in the day, some
    twice. ``without`` are sessions to be left out, as if they had never been. Of the others the use is as ``voids``
    leave it, their opening and end as evidence tells them.
    """
    rules = [
        (
            j.code, j.reported_country, pools[j.product, j.country], j.from_at, j.until_at, j.policy.slot_ms,
            int(j.policy.opening_slot_counts), j.policy.min_use_ms, int(j.policy.unit == "machine+session"),
        )
        for j in judgements
    ]  # fmt: skip
    kind = "Tuple(String, String, UInt32, Int64, Int64, Int64, UInt8, Int64, UInt8)"
    expression, parameters = array_parameter("judgements", kind, rules)
    parameters |= {
        "account": account,
        "codes": sorted({rule[0] for rule in rules}),
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
    """Units per pool and slot start, slots without use left out; equal to ``rules/pool/counting.slot_counts``."""
    rules = tuple(judgements)
    if not rules:
        return {}
    pools = number_pools(rules)
    facts, parameters = counting_facts(account, period, rules, pools, without, voids)
    return read_counts(client, facts + UNITS_BY_SLOT.replace("{used}", "used"), parameters, pools)


def read_counts(
    client: Client, query: str, parameters: dict[str, Parameter], pools: Pools
) -> dict[Pool, dict[int, int]]:
    """The answer of a query that ends with ``UNITS_BY_SLOT``: units per pool and slot start."""
    named = list(pools)
    counts: dict[Pool, dict[int, int]] = {}
    for pool, slot_at, units in client.query(query, parameters).result_rows:
        counts.setdefault(named[cast(int, pool)], {})[cast(int, slot_at)] = cast(int, units)
    return counts
