"""Pooled use: which slots a session counts in, and how many units a slot holds (RULES 3)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Literal

from pipeline.model.evidence import SessionKey
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.pool.min_use import is_recorded
from pipeline.rules.pool.opening_slot import left_out_slot_at
from pipeline.rules.pool.reading import Judgement

Reason = Literal["counted", "not_production", "under_min_use", "opening_slot", "covered", "voided"]
Pool = tuple[str, str]
"""Product and country."""


def judge_session(session: Session, policy: MeteringPolicy) -> Reason:
    """Whether a session counts at all, or why it counts nowhere: what is true of all its slots alike."""
    if not session.is_production:
        return "not_production"
    return "counted" if is_recorded(session, policy) else "under_min_use"


def judge_slot(session: Session, slot_at: int, policy: MeteringPolicy) -> Reason:
    """Whether a session counts in a slot it used, or why it does not."""
    reason = judge_session(session, policy)
    if reason == "counted" and slot_at == left_out_slot_at(session, policy):
        return "opening_slot"
    return reason


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
    if judge_session(session, policy) != "counted":
        return
    left_out_at = left_out_slot_at(session, policy)
    for slot_at in used_slots(session, policy, from_at, until_at):
        if slot_at != left_out_at:
            yield slot_at


def unit_of(key: SessionKey, policy: MeteringPolicy) -> Hashable:
    """What is counted once: the machine, or each session by itself (RULES 3.3)."""
    return key.machine if policy.unit == "machine" else key


def slot_counts(
    used: Iterable[Session], judgements: Mapping[tuple[str, str], Iterable[Judgement]]
) -> dict[Pool, dict[int, int]]:
    """Count units per pool and slot. ``judgements`` are keyed by product and country as reported.

    This is the plain reference; the store computes the same in SQL (``store/counting/counts.py``), and a property holds
    the two equal.
    """
    units: dict[Pool, dict[int, set[Hashable]]] = {}
    for session in used:
        for judgement in judgements.get((session.key.product, session.key.country), ()):
            slots = units.setdefault((judgement.product, judgement.country), {})
            policy = judgement.policy
            for slot_at in counted_slots(session, policy, judgement.from_at, judgement.until_at):
                slots.setdefault(slot_at, set()).add(unit_of(session.key, policy))
    return {pool: {slot_at: len(slots[slot_at]) for slot_at in sorted(slots)} for pool, slots in units.items() if slots}
