"""Pooled use: which slots a session counts in, and how many units a slot holds (RULES 3)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Literal

from pipeline.model.evidence import SessionKey
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.pool.reading import Judgement

Reason = Literal["counted", "not_production", "under_min_use", "opening_slot", "covered", "voided"]
Pool = tuple[str, str]
"""Product and country."""


def judge_slot(session: Session, slot_at: int, policy: MeteringPolicy) -> Reason:
    """Whether a session counts in a slot it used, or why it does not."""
    if not session.is_production:
        return "not_production"
    if session.last_at - session.opened_at < policy.min_use_ms:
        return "under_min_use"
    if not policy.opening_slot_counts and slot_at == session.opened_at // policy.slot_ms * policy.slot_ms:
        return "opening_slot"
    return "counted"


def used_slots(session: Session, policy: MeteringPolicy, from_at: int, until_at: int) -> Iterator[int]:
    """The starts of the policy's slots in ``[from_at, until_at)`` that hold a used base slot, ascending."""
    last = None
    for used_at in session.used_at():
        slot_at = used_at // policy.slot_ms * policy.slot_ms
        if from_at <= slot_at < until_at and slot_at != last:
            yield slot_at
            last = slot_at


def counted_slots(session: Session, policy: MeteringPolicy, from_at: int, until_at: int) -> Iterator[int]:
    """The slots in ``[from_at, until_at)`` in which the session counts, by their starts, ascending."""
    for slot_at in used_slots(session, policy, from_at, until_at):
        if judge_slot(session, slot_at, policy) == "counted":
            yield slot_at


def unit_of(key: SessionKey, policy: MeteringPolicy) -> Hashable:
    """What is counted once: the machine, or each session by itself."""
    return key.machine if policy.unit == "machine" else key


def slot_counts(
    used: Iterable[Session], judgements: Mapping[tuple[str, str], Iterable[Judgement]]
) -> dict[Pool, dict[int, int]]:
    """Count units per pool and slot. ``judgements`` are keyed by product and country as reported.

    This is the plain reference; the store computes the same in SQL, and a property holds the two equal.
    """
    units: dict[Pool, dict[int, set[Hashable]]] = {}
    for session in used:
        for judgement in judgements.get((session.key.product, session.key.country), ()):
            pool = units.setdefault((judgement.product, judgement.country), {})
            policy = judgement.policy
            for slot_at in counted_slots(session, policy, judgement.from_at, judgement.until_at):
                pool.setdefault(slot_at, set()).add(unit_of(session.key, policy))
    return {pool: {at: len(found) for at, found in sorted(slots.items())} for pool, slots in units.items() if slots}
