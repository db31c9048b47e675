"""Checkout counts: a licence taken offline counts all the time, whether it is used or not (RULES 5).

RULES 5: "It counts in every slot that overlaps that range, day and night, with no first-slot and no min-use rule, for
that machine (unit machine+session: one unit of its own), and like any use of its user in the waterfall".

The store counts the same ranges in SQL, in ``store/counting/uncovered_counts.py``, from the spans given here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.model.instants import Period
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.people.waterfall import Use
from pipeline.rules.pool.reading import ContractReading, Judgement


@dataclass(frozen=True, slots=True)
class OfflineSpan:
    """The slots of ``judgement`` that a checkout overlaps: they start at ``from_at`` and before ``until_at``."""

    taken: TakenOut
    judgement: Judgement
    from_at: int
    until_at: int


def offline_spans(reading: ContractReading, checkouts: Iterable[TakenOut], period: Period) -> Iterator[OfflineSpan]:
    """The slots of a period that checkouts overlap, by the policy in force: from the start of the first slot on."""
    for taken in checkouts:
        if taken.until_at <= period.start_at or taken.from_at >= period.end_at:
            continue
        for judgement in reading.judgements(taken.product, taken.country, period):
            slot_ms = judgement.policy.slot_ms
            from_at = max(taken.from_at // slot_ms * slot_ms, judgement.from_at)
            until_at = min(taken.until_at, judgement.until_at)
            if from_at < until_at:
                yield OfflineSpan(taken, judgement, from_at, until_at)


def checkout_uses(reading: ContractReading, checkouts: Iterable[TakenOut], period: Period) -> Iterator[Use]:
    """The use that checkouts make in a period, whoever covers it."""
    for span in offline_spans(reading, checkouts, period):
        taken, judgement, policy = span.taken, span.judgement, span.judgement.policy
        unit = checkout_unit(taken, policy)
        for slot_at in range(span.from_at, span.until_at, policy.slot_ms):
            yield Use(judgement.product, judgement.country, taken.user, slot_at, policy.slot_ms, unit)


def checkout_unit(taken: TakenOut, policy: MeteringPolicy) -> Hashable:
    """What a checkout counts as: its machine, or a unit of its own."""
    return taken.machine if policy.unit == "machine" else ("checkout", taken.id)
