"""The waterfall in SQL: what is left to the pool, and who is first to take a named seat (RULES 5).

Whom seats cover comes in as stretches of time by product, country and user, and licences taken offline as ranges of
slots; rows per slot never leave the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Final, cast

from pipeline.model.evidence import SessionKey
from pipeline.model.instants import Period
from pipeline.model.statement import VoidEntry
from pipeline.rules.counting import Pool
from pipeline.rules.coverage import Coverage
from pipeline.rules.named import CountedSlot
from pipeline.rules.reading import Judgement
from pipeline.rules.waterfall import OfflineSpan
from pipeline.store.arrays import array_parameter
from pipeline.store.client import Client, Parameter
from pipeline.store.counts import counting_facts

_LEFT: Final = """
covered AS (
    SELECT c.1 AS product, c.2 AS country, c.3 AS user,
           groupArray(c.4) AS covered_from_ms, groupArray(c.5) AS covered_until_ms
    FROM (SELECT arrayJoin({coverage}) AS c)
    GROUP BY product, country, user
),
used AS (
    SELECT pool_product, pool_country, user, slot_ms,
           if(by_session, sipHash128(product, country, machine, user, session), sipHash128(machine)) AS unit,
           arrayFilter(
               slot -> slot >= from_ms AND slot < until_ms
                   AND (opening_slot_counts OR intDiv(slot, slot_ms) != intDiv(opened_ms, slot_ms)),
               arrayMap(at_ms -> intDiv(at_ms, slot_ms) * slot_ms, used_ms)
           ) AS slots
    FROM sessions
    INNER JOIN judgements ON judgements.code = sessions.product AND judgements.reported_country = sessions.country
    WHERE last_ms - opened_ms >= min_use_ms
    UNION ALL
    SELECT o.1 AS pool_product, o.2 AS pool_country, o.3 AS user, o.8 AS slot_ms,
           if(o.9, sipHash128('checkout', o.5), sipHash128(o.4)) AS unit, range(o.6, o.7, o.8) AS slots
    FROM (SELECT arrayJoin({offline}) AS o)
),
uncovered AS (
    SELECT used.pool_product AS pool_product, used.pool_country AS pool_country, used.user AS user, used.unit AS unit,
           arrayFilter(
               slot -> NOT arrayExists(
                   (begins_ms, ends_ms) -> slot < ends_ms AND begins_ms < slot + used.slot_ms,
                   covered.covered_from_ms, covered.covered_until_ms
               ),
               used.slots
           ) AS slots
    FROM used
    LEFT JOIN covered
        ON covered.product = used.pool_product AND covered.country = used.pool_country AND covered.user = used.user
)
"""

_COUNTS: Final = """
SELECT pool_product, pool_country, slot_ms_at, uniqExact(unit) AS units
FROM uncovered
ARRAY JOIN slots AS slot_ms_at
GROUP BY pool_product, pool_country, slot_ms_at
ORDER BY pool_product, pool_country, slot_ms_at
"""

_FIRST: Final = """
SELECT pool_product, pool_country, user, min(first_ms) AS first_slot_ms
FROM (
    SELECT pool_product, pool_country, user, stretch_from_ms,
           arrayFilter(slot -> slot >= stretch_from_ms AND slot < stretch_until_ms, slots) AS inside,
           arrayMin(inside) AS first_ms
    FROM uncovered
    INNER JOIN (
        SELECT s.1 AS product, s.2 AS country, s.3 AS stretch_from_ms, s.4 AS stretch_until_ms
        FROM (SELECT arrayJoin({stretches}) AS s)
    ) AS stretches
        ON stretches.product = uncovered.pool_product AND stretches.country = uncovered.pool_country
    WHERE notEmpty(inside)
)
GROUP BY pool_product, pool_country, user, stretch_from_ms
ORDER BY pool_product, pool_country, user, first_slot_ms
"""


def uncovered_counts(
    client: Client,
    account: str,
    period: Period,
    judgements: Iterable[Judgement],
    coverage: Iterable[Coverage],
    offline: Iterable[OfflineSpan],
    without: Set[SessionKey] = frozenset(),
    voids: Sequence[VoidEntry] = (),
) -> dict[Pool, dict[int, int]]:
    """Units per pool and slot start that no seat of their user covers; equal to ``rules.waterfall.units_by_slot``."""
    query, parameters = _left(account, period, judgements, coverage, offline, without, voids)
    counts: dict[Pool, dict[int, int]] = {}
    for product, country, slot_at, units in client.query(query + _COUNTS, parameters).result_rows:
        counts.setdefault((str(product), str(country)), {})[cast(int, slot_at)] = cast(int, units)
    return counts


def first_slots(
    client: Client,
    account: str,
    period: Period,
    judgements: Iterable[Judgement],
    coverage: Iterable[Coverage],
    offline: Iterable[OfflineSpan],
    stretches: Sequence[tuple[str, str, int, int]],
    without: Set[SessionKey] = frozenset(),
    voids: Sequence[VoidEntry] = (),
) -> list[CountedSlot]:
    """The first slot not covered in which each user counts, in every stretch of ``rules.named.named_stretches``."""
    named = {(product, country) for product, country, *_ in stretches}
    query, parameters = _left(
        account,
        period,
        [one for one in judgements if (one.product, one.country) in named],
        coverage,
        [one for one in offline if (one.judgement.product, one.judgement.country) in named],
        without,
        voids,
    )
    expression, more = array_parameter("stretches", "Tuple(String, String, Int64, Int64)", stretches)
    rows = client.query(query + _FIRST.replace("{stretches}", expression), parameters | more).result_rows
    return [
        CountedSlot(str(product), str(country), str(user), cast(int, slot_at))
        for product, country, user, slot_at in rows
    ]


def _left(
    account: str,
    period: Period,
    judgements: Iterable[Judgement],
    coverage: Iterable[Coverage],
    offline: Iterable[OfflineSpan],
    without: Set[SessionKey],
    voids: Sequence[VoidEntry],
) -> tuple[str, dict[str, Parameter]]:
    """A query's beginning, up to the use that is not covered, and its parameters."""
    facts, parameters = counting_facts(account, period, judgements, without, voids)
    covered, covered_parameters = array_parameter(
        "coverage",
        "Tuple(String, String, String, Int64, Int64)",
        [(one.product, one.country, one.user, one.from_at, one.until_at) for one in coverage],
    )
    spans, span_parameters = array_parameter(
        "offline", "Tuple(String, String, String, String, String, Int64, Int64, Int64, UInt8)", map(_span, offline)
    )
    left = _LEFT.replace("{coverage}", covered).replace("{offline}", spans)
    return f"{facts.rstrip()},{left}", parameters | covered_parameters | span_parameters


def _span(one: OfflineSpan) -> tuple[object, ...]:
    judgement, taken = one.judgement, one.taken
    return (
        judgement.product, judgement.country, taken.user, taken.machine, taken.id, one.from_at, one.until_at,
        judgement.policy.slot_ms, int(judgement.policy.unit == "machine+session"),
    )  # fmt: skip
