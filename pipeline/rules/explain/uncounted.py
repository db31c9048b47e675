"""Why a session does not count, with the sentence for the person who pays (RULES 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.model.instants import MINUTE_MS
from pipeline.model.statements import VoidEntry
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.live.grace import counts_from
from pipeline.rules.orders.voids import voided_by
from pipeline.rules.people.coverage import Covered, WaterfallStep
from pipeline.rules.pool.counting import Pool, Reason, judge_slot


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A session with use in a slot that does not count in it, and why; ``counts_from`` is when it would begin to.

    ``covered_by`` is the step of the waterfall that covers it, ``void`` the void that took its use away, each where
    that is the reason.
    """

    session: Session
    reason: Reason
    counts_from: int
    covered_by: WaterfallStep | None = None
    void: VoidEntry | None = None


def why_uncounted(
    session: Session, slot_at: int, pool: Pool, policy: MeteringPolicy, covered: Covered
) -> Uncounted | None:
    """Why a session does not count in a pool's slot that it used; ``None`` where it counts. Voids are not applied."""
    reason = judge_slot(session, slot_at, policy)
    if reason != "counted":
        return Uncounted(session, reason, counts_from(session, policy))
    coverage = covered.by(*pool, session.key.user, slot_at, policy.slot_ms)
    return None if coverage is None else Uncounted(session, "covered", counts_from(session, policy), coverage.step)


def uncounted_by_void(
    session: Session, policy: MeteringPolicy, used_at: Iterable[int], voids: Sequence[VoidEntry]
) -> Uncounted:
    """A session whose use of some base slots voids took away, with the void that took the first of them."""
    void = next(void for at in used_at if (void := voided_by(session, at, voids)) is not None)
    return Uncounted(session, "voided", counts_from(session, policy), void=void)


def sentence(reason: Reason, policy: MeteringPolicy) -> str:
    """A reason as a sentence for the person who pays."""
    minutes = policy.min_use_ms // MINUTE_MS
    return {
        "counted": "counts in this slot",
        "not_production": "is not production use, which alone counts",
        "under_min_use": f"was in use for less than {minutes} minutes in all",
        "opening_slot": "was opened in this slot, and counting begins in the next one",
        "covered": "is covered by a seat of its user",
        "voided": "is left out by a void",
    }[reason]


def covered_sentence(step: WaterfallStep, user: str) -> str:
    """Which step of the waterfall covers use, as a sentence for the person who pays."""
    return f"is covered by the {step.replace('_', '-')} seat of {user}"


def because(uncounted: Uncounted, policy: MeteringPolicy) -> str:
    """Why a session does not count, as a sentence for the person who pays."""
    if uncounted.covered_by is not None:
        return covered_sentence(uncounted.covered_by, uncounted.session.key.user)
    if uncounted.void is not None:
        return f"is left out by the void {uncounted.void.id} of {uncounted.void.by}: {uncounted.void.reason}"
    return sentence(uncounted.reason, policy)
