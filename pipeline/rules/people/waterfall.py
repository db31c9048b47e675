"""The waterfall of one product and country: single user, practitioner, named, pool, term licence (RULES 5).

Use is a unit of one user that counts in one slot. What an earlier step covers does not count in a later one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.model.instants import Period
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.people.coverage import Covered
from pipeline.rules.people.named_seats import CountedSlot
from pipeline.rules.pool.counting import Pool, counted_slots, unit_of
from pipeline.rules.pool.reading import ContractReading, Judgement


@dataclass(frozen=True, slots=True)
class Use:
    """Use of a user that counts in the slot at ``slot_at``, by a session or by a checkout, as ``unit``."""

    product: str
    country: str
    user: str
    slot_at: int
    slot_ms: int
    unit: Hashable


@dataclass(frozen=True, slots=True)
class OfflineSpan:
    """The slots of ``judgement`` that a checkout overlaps: they start at ``from_at`` and before ``until_at``."""

    taken: TakenOut
    judgement: Judgement
    from_at: int
    until_at: int


def session_uses(found: Iterable[Session], judgements: Mapping[Pool, Iterable[Judgement]]) -> Iterator[Use]:
    """The use that sessions make, whoever covers it. ``judgements`` are keyed by product and country as reported."""
    for session in found:
        key = session.key
        for judgement in judgements.get((key.product, key.country), ()):
            policy = judgement.policy
            for slot_at in counted_slots(session, policy, judgement.from_at, judgement.until_at):
                yield Use(judgement.product, judgement.country, key.user, slot_at, policy.slot_ms, unit_of(key, policy))


def checkout_uses(reading: ContractReading, checkouts: Iterable[TakenOut], period: Period) -> Iterator[Use]:
    """The use that checkouts make: in every slot that one overlaps, day and night, from the first slot on."""
    for span in offline_spans(reading, checkouts, period):
        taken, judgement, policy = span.taken, span.judgement, span.judgement.policy
        unit = checkout_unit(taken, policy)
        for slot_at in range(span.from_at, span.until_at, policy.slot_ms):
            yield Use(judgement.product, judgement.country, taken.user, slot_at, policy.slot_ms, unit)


def checkout_unit(taken: TakenOut, policy: MeteringPolicy) -> Hashable:
    """What a checkout counts as: its machine, or one unit of its own."""
    return taken.machine if policy.unit == "machine" else ("checkout", taken.id)


def offline_spans(reading: ContractReading, checkouts: Iterable[TakenOut], period: Period) -> Iterator[OfflineSpan]:
    """What checkouts overlap of the slots of a period, by the policy in force."""
    for taken in checkouts:
        if taken.until_at <= period.start_at or taken.from_at >= period.end_at:
            continue
        for judgement in reading.judgements(taken.product, taken.country, period):
            slot_ms = judgement.policy.slot_ms
            from_at = max(taken.from_at // slot_ms * slot_ms, judgement.from_at)
            until_at = min(taken.until_at, judgement.until_at)
            if from_at < until_at:
                yield OfflineSpan(taken, judgement, from_at, until_at)


def uncovered(uses: Iterable[Use], covered: Covered) -> Iterator[Use]:
    """The use that no seat of its user covers."""
    for use in uses:
        if covered.by(use.product, use.country, use.user, use.slot_at, use.slot_ms) is None:
            yield use


def counted_slot(use: Use) -> CountedSlot:
    """Use as named seats are taken by it."""
    return CountedSlot(use.product, use.country, use.user, use.slot_at)


def units_by_slot(uses: Iterable[Use]) -> dict[Pool, dict[int, int]]:
    """Distinct units per product, country and slot, slots without use left out: what the pool counts."""
    units: dict[Pool, dict[int, set[Hashable]]] = {}
    for use in uses:
        units.setdefault((use.product, use.country), {}).setdefault(use.slot_at, set()).add(use.unit)
    return {pool: {at: len(found) for at, found in sorted(slots.items())} for pool, slots in units.items()}
