"""Why a count is what it is: the machines, users and sessions behind a slot, and those that did not count (RULES 7).

What a seat of its user covers counts in an earlier step of the waterfall, and so not in the pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.model.instants import Period
from pipeline.model.statements import VoidEntry
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.live.grace import counts_from
from pipeline.rules.orders.voids import voided_by, without_voided
from pipeline.rules.people.checkout_counts import checkout_unit, offline_spans
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.people.coverage import NOTHING_COVERED, Covered, WaterfallStep
from pipeline.rules.pool.counting import Reason, judge_slot, unit_of, used_slots
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.pool.term_licenses import overuse


@dataclass(frozen=True, slots=True)
class CountedUnit:
    """A machine (or a session or checkout of its own, by policy) and by what it counts in the slot."""

    machine: str
    sessions: tuple[Session, ...]
    checkouts: tuple[TakenOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A session with use in the slot that does not count in it, and why; ``counts_from`` where it would begin to.

    ``covered_by`` is the step of the waterfall that covers it, ``void`` the void that took its use away, where that is
    the reason.
    """

    session: Session
    reason: Reason
    counts_from: int
    covered_by: WaterfallStep | None = None
    void: VoidEntry | None = None


@dataclass(frozen=True, slots=True)
class CoveredCheckout:
    """A licence that is offline in the slot and does not count in the pool, for a seat of its user covers it."""

    checkout: TakenOut
    covered_by: WaterfallStep


@dataclass(frozen=True, slots=True)
class SlotExplanation:
    """One slot of one pool taken apart. ``count`` is the number of ``units``."""

    product: str
    country: str
    slot_at: int
    policy: MeteringPolicy
    entitled: int
    units: tuple[CountedUnit, ...]
    uncounted: tuple[Uncounted, ...]
    covered_checkouts: tuple[CoveredCheckout, ...] = ()

    @property
    def count(self) -> int:
        return len(self.units)

    @property
    def overuse(self) -> int:
        return overuse(self.count, self.entitled)


def slot_of(reading: ContractReading, product: str, country: str, at: int) -> tuple[int, MeteringPolicy]:
    """The start of the slot that holds an instant, and the policy that judges it. Raises ``BeforeFirstRow``."""
    policy = reading.policy_at(product, country, at)
    return at // policy.slot_ms * policy.slot_ms, policy


def explain_slot(
    reading: ContractReading,
    product: str,
    country: str,
    at: int,
    found: Iterable[Session],
    *,
    covered: Covered = NOTHING_COVERED,
    checkouts: Iterable[TakenOut] = (),
    voids: Sequence[VoidEntry] = (),
) -> SlotExplanation:
    """Take the slot that holds ``at`` apart. ``found`` are sessions with use near it, of any code and country.

    They are given as evidence tells them; ``voids`` are applied here, so that what they took away is told as well.
    ``covered`` is what seats of people cover in its quarter, ``checkouts`` the licences taken offline, whenever.
    Raises ``BeforeFirstRow``.
    """
    slot_at, policy = slot_of(reading, product, country, at)
    counted: dict[object, list[Session]] = {}
    uncounted = []
    for session in sorted(found, key=lambda one: (one.key.machine, one.opened_at, one.key)):
        if not _is_of_pool(reading, session, product, country, slot_at):
            continue
        if slot_at not in used_slots(session, policy, slot_at, slot_at + 1):
            continue
        void = _void_of(session, slot_at, policy, voids)
        if void is not None:
            uncounted.append(Uncounted(session, "voided", counts_from(session, policy), void=void))
            continue
        reason = judge_slot(session, slot_at, policy)
        by = covered.by(product, country, session.key.user, slot_at, policy.slot_ms)
        if reason == "counted" and by is not None:
            uncounted.append(Uncounted(session, "covered", counts_from(session, policy), by.step))
        elif reason == "counted":
            counted.setdefault(unit_of(session.key, policy), []).append(session)
        else:
            uncounted.append(Uncounted(session, reason, counts_from(session, policy)))
    offline, covered_checkouts = dict[object, list[TakenOut]](), list[CoveredCheckout]()
    for taken in _offline(reading, product, country, slot_at, checkouts):
        by = covered.by(product, country, taken.user, slot_at, policy.slot_ms)
        if by is None:
            offline.setdefault(checkout_unit(taken, policy), []).append(taken)
        else:
            covered_checkouts.append(CoveredCheckout(taken, by.step))
    return SlotExplanation(
        product=product,
        country=country,
        slot_at=slot_at,
        policy=policy,
        entitled=reading.entitled_at(product, country, slot_at),
        units=tuple(
            _unit(counted.get(unit, ()), offline.get(unit, ())) for unit in dict.fromkeys([*counted, *offline])
        ),
        uncounted=tuple(uncounted),
        covered_checkouts=tuple(covered_checkouts),
    )


def _unit(used: Sequence[Session], offline: Sequence[TakenOut]) -> CountedUnit:
    machine = used[0].key.machine if used else offline[0].machine
    return CountedUnit(machine, tuple(used), tuple(offline))


def _offline(
    reading: ContractReading, product: str, country: str, slot_at: int, checkouts: Iterable[TakenOut]
) -> Iterator[TakenOut]:
    """The checkouts that count for a product in a slot, whoever covers them."""
    for span in offline_spans(reading, checkouts, Period.containing(slot_at)):
        is_of_pool = (span.judgement.product, span.judgement.country) == (product, country)
        if is_of_pool and span.from_at <= slot_at < span.until_at:
            yield span.taken


def _void_of(session: Session, slot_at: int, policy: MeteringPolicy, voids: Sequence[VoidEntry]) -> VoidEntry | None:
    """The void that took the last of a session's use in the slot away; ``None`` where some is left."""
    if any(slot_at in used_slots(left, policy, slot_at, slot_at + 1) for left in without_voided([session], voids)):
        return None
    used = (at for at in session.used_at() if slot_at <= at < slot_at + policy.slot_ms)
    return next((void for at in used if (void := voided_by(session, at, voids)) is not None), None)


def _is_of_pool(reading: ContractReading, session: Session, product: str, country: str, slot_at: int) -> bool:
    if reading.country_of(session.key.country) != country:
        return False
    judged = reading.judgements(session.key.product, session.key.country, Period.containing(slot_at))
    return any(one.product == product and one.from_at <= slot_at < one.until_at for one in judged)


def sentence(reason: Reason, policy: MeteringPolicy) -> str:
    """A reason as a sentence for the person who pays."""
    minutes = policy.min_use_ms // 60_000
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


def because(one: Uncounted, policy: MeteringPolicy) -> str:
    """Why a session does not count, as a sentence for the person who pays."""
    if one.covered_by is not None:
        return covered_sentence(one.covered_by, one.session.key.user)
    if one.void is not None:
        return f"is left out by the void {one.void.id} of {one.void.by}: {one.void.reason}"
    return sentence(one.reason, policy)
