"""The waterfall in SQL: what seats leave to the pool, and who is first to take a named seat (RULES 5).

The coverage of seats comes in as stretches of time by product, country and user, and licences taken offline as ranges
of slots. Rows per slot never leave the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Final, cast

from pipeline.model.evidence import SessionKey
from pipeline.model.instants import Period
from pipeline.model.statements import VoidEntry
from pipeline.rules.people.checkout_counts import OfflineSpan
from pipeline.rules.people.coverage import Coverage
from pipeline.rules.people.named_seats import CountedSlot
from pipeline.rules.pool.counting import Pool
from pipeline.rules.pool.reading import Judgement
from pipeline.store.client import Client, Parameter
from pipeline.store.counting.arrays import array_parameter
from pipeline.store.counting.counts import UNITS_BY_SLOT, Pools, counting_facts, number_pools, read_counts

_LEFT: Final = """
covered AS (
    SELECT c.1 AS pool, c.2 AS user, groupArray(c.3) AS covered_from_ms, groupArray(c.4) AS covered_until_ms
    FROM (SELECT arrayJoin({coverage}) AS c)
    GROUP BY pool, user
),
offline AS (
    SELECT o.1 AS pool, o.2 AS user, if(o.7, sipHash128('checkout', o.4), sipHash128(o.3)) AS unit,
           toInt64(day) * 86400000 AS midnight_ms, o.8 AS slot_ms,
           arrayMap(
               at_ms -> toUInt8(intDiv(at_ms - midnight_ms, slot_ms)),
               range(greatest(o.5, midnight_ms), least(o.6, midnight_ms + 86400000), slot_ms)
           ) AS slots
    FROM (SELECT arrayJoin({offline}) AS o)
    ARRAY JOIN range(intDiv(o.5, 86400000), intDiv(o.6 - 1, 86400000) + 1) AS day
),
everything AS (
    SELECT pool, user, unit, midnight_ms, slot_ms, slots FROM used
    UNION ALL
    SELECT pool, user, unit, midnight_ms, slot_ms, slots FROM offline
),
uncovered AS (
    SELECT everything.pool AS pool, everything.user AS user, unit, midnight_ms, slot_ms,
           if(
               empty(covered_from_ms),
               everything.slots,
               arrayFilter(
                   slot -> NOT arrayExists(
                       (begins_ms, ends_ms) ->
                           midnight_ms + slot * slot_ms < ends_ms AND begins_ms < midnight_ms + (slot + 1) * slot_ms,
                       covered_from_ms, covered_until_ms
                   ),
                   everything.slots
               )
           ) AS slots
    FROM everything
    LEFT JOIN covered ON covered.pool = everything.pool AND covered.user = everything.user
)
"""

_FIRST: Final = """
SELECT uncovered.pool AS pool, user, min(midnight_ms + arrayMin(slots) * slot_ms) AS first_slot_ms
FROM uncovered
INNER JOIN (
    SELECT s.1 AS pool, s.2 AS stretch_from_ms, s.3 AS stretch_until_ms FROM (SELECT arrayJoin({stretches}) AS s)
) AS stretches
    ON stretches.pool = uncovered.pool
WHERE notEmpty(slots) AND midnight_ms >= stretch_from_ms AND midnight_ms < stretch_until_ms
GROUP BY pool, user, stretch_from_ms
ORDER BY pool, user, first_slot_ms
"""
"""Entitlements and stretches begin and end at midnight: a day lies in a stretch as a whole, or not at all."""


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
    """Units per pool and slot start that no seat of their user covers; equal to ``rules/people/waterfall``."""
    query, parameters, pools = _left(account, period, judgements, coverage, offline, without, voids)
    return read_counts(client, query + UNITS_BY_SLOT.replace("{used}", "uncovered"), parameters, pools)


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
    """The first slot not covered in which each user counts, in every stretch of ``named_stretches``."""
    named = {(product, country) for product, country, *_ in stretches}
    query, parameters, pools = _left(
        account,
        period,
        [rule for rule in judgements if (rule.product, rule.country) in named],
        coverage,
        [span for span in offline if (span.judgement.product, span.judgement.country) in named],
        without,
        voids,
    )
    rows_of_stretches = [(pools[row[:2]], *row[2:]) for row in stretches if row[:2] in pools]
    expression, more = array_parameter("stretches", "Tuple(UInt32, Int64, Int64)", rows_of_stretches)
    rows = client.query(query + _FIRST.replace("{stretches}", expression), parameters | more).result_rows
    named_pools = list(pools)
    return [CountedSlot(*named_pools[cast(int, pool)], str(user), cast(int, slot_at)) for pool, user, slot_at in rows]


def _left(
    account: str,
    period: Period,
    judgements: Iterable[Judgement],
    coverage: Iterable[Coverage],
    offline: Iterable[OfflineSpan],
    without: Set[SessionKey],
    voids: Sequence[VoidEntry],
) -> tuple[str, dict[str, Parameter], Pools]:
    """A query's beginning, up to the use that is not covered; its parameters, and the numbers of its pools."""
    rules, spans_offline = tuple(judgements), tuple(offline)
    pools = number_pools((*rules, *(span.judgement for span in spans_offline)))
    facts, parameters = counting_facts(account, period, rules, pools, without, voids)
    coverage_expression, coverage_parameters = array_parameter(
        "coverage",
        "Tuple(UInt32, String, Int64, Int64)",
        [
            (pools[covered.product, covered.country], covered.user, covered.from_at, covered.until_at)
            for covered in coverage
            if (covered.product, covered.country) in pools
        ],
    )
    offline_expression, offline_parameters = array_parameter(
        "offline",
        "Tuple(UInt32, String, String, String, Int64, Int64, UInt8, Int64)",
        [_span_row(span, pools) for span in spans_offline],
    )
    left = _LEFT.replace("{coverage}", coverage_expression).replace("{offline}", offline_expression)
    return f"{facts.rstrip()},{left}", parameters | coverage_parameters | offline_parameters, pools


def _span_row(span: OfflineSpan, pools: Pools) -> tuple[object, ...]:
    judgement, taken = span.judgement, span.taken
    return (
        pools[judgement.product, judgement.country], taken.user, taken.machine, taken.id, span.from_at, span.until_at,
        int(judgement.policy.unit == "machine+session"), judgement.policy.slot_ms,
    )  # fmt: skip
