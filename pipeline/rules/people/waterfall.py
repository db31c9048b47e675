"""The waterfall of one product and country: single user, practitioner, named, pool, term licence (RULES 5).

Use is a unit of one user that counts in one slot. What an earlier step covers does not count in a later one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.rules.evidence.sessions import Session
from pipeline.rules.people.coverage import Covered
from pipeline.rules.people.named_seats import CountedSlot
from pipeline.rules.pool.counting import Pool, counted_slots, unit_of
from pipeline.rules.pool.reading import Judgement


@dataclass(frozen=True, slots=True)
class Use:
    """Use of a user that counts in the slot at ``slot_at``, by a session or by a checkout, as ``unit``."""

    product: str
    country: str
    user: str
    slot_at: int
    slot_ms: int
    unit: Hashable


def session_uses(sessions: Iterable[Session], judgements: Mapping[Pool, Iterable[Judgement]]) -> Iterator[Use]:
    """The use that sessions make, whoever covers it. ``judgements`` are keyed by product and country as reported."""
    for session in sessions:
        key = session.key
        for judgement in judgements.get((key.product, key.country), ()):
            policy = judgement.policy
            for slot_at in counted_slots(session, policy, judgement.from_at, judgement.until_at):
                yield Use(judgement.product, judgement.country, key.user, slot_at, policy.slot_ms, unit_of(key, policy))


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
    return {pool: {slot_at: len(slots[slot_at]) for slot_at in sorted(slots)} for pool, slots in units.items()}
