"""Why a count is what it is: the machines, users and sessions behind a slot, and those that did not count (RULES 7).

Use that a seat of its user covers counts in an earlier step of the waterfall, and so not in the pool.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.model.instants import Period
from pipeline.model.statements import VoidEntry
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.uncounted import Uncounted, uncounted_by_void, why_uncounted
from pipeline.rules.orders.voids import without_voided
from pipeline.rules.people.checkout_counts import checkout_unit, offline_spans
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.people.coverage import NOTHING_COVERED, Covered, WaterfallStep
from pipeline.rules.pool.counting import Pool, unit_of, used_slots
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.pool.term_licenses import overuse


@dataclass(frozen=True, slots=True)
class CountedUnit:
    """A machine (or, by policy, a session or checkout of its own), and the use that makes it count in the slot."""

    machine: str
    sessions: tuple[Session, ...]
    checkouts: tuple[TakenOut, ...] = ()


@dataclass(frozen=True, slots=True)
class CoveredCheckout:
    """A licence that is offline in the slot and does not count in the pool, because a seat of its user covers it."""

    checkout: TakenOut
    covered_by: WaterfallStep


@dataclass(frozen=True, slots=True)
class SlotExplanation:
    """A slot of a pool, explained. ``count`` is the number of ``units``."""

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
        """The units that count in the slot."""
        return len(self.units)

    @property
    def overuse(self) -> int:
        """The units beyond what is entitled."""
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
    sessions: Iterable[Session],
    *,
    covered: Covered = NOTHING_COVERED,
    checkouts: Iterable[TakenOut] = (),
    voids: Sequence[VoidEntry] = (),
) -> SlotExplanation:
    """Explain the slot that holds ``at``. ``sessions`` have use near it, of any code and country.

    They are given as evidence has them. ``voids`` are applied here, so that what they took away is explained as well.
    ``covered`` is what seats of people cover in the slot's quarter, ``checkouts`` are the licences taken offline at any
    time. Raises ``BeforeFirstRow``.
    """
    pool = product, country
    slot_at, policy = slot_of(reading, product, country, at)
    counted: dict[Hashable, list[Session]] = {}
    uncounted = []
    for session in _sessions_in(reading, pool, slot_at, policy, sessions):
        reason = _void_of(session, slot_at, policy, voids) or why_uncounted(session, slot_at, pool, policy, covered)
        if reason is None:
            counted.setdefault(unit_of(session.key, policy), []).append(session)
        else:
            uncounted.append(reason)
    offline, covered_checkouts = dict[Hashable, list[TakenOut]](), list[CoveredCheckout]()
    for taken in _offline(reading, pool, slot_at, checkouts):
        coverage = covered.by(product, country, taken.user, slot_at, policy.slot_ms)
        if coverage is None:
            offline.setdefault(checkout_unit(taken, policy), []).append(taken)
        else:
            covered_checkouts.append(CoveredCheckout(taken, coverage.step))
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


def _sessions_in(
    reading: ContractReading, pool: Pool, slot_at: int, policy: MeteringPolicy, sessions: Iterable[Session]
) -> Iterator[Session]:
    """The sessions with use of a pool's product in a slot, by machine and opening."""
    for session in sorted(sessions, key=lambda session: (session.key.machine, session.opened_at, session.key)):
        is_of_pool = _is_of_pool(reading, session, pool, slot_at)
        if is_of_pool and slot_at in used_slots(session, policy, slot_at, slot_at + 1):
            yield session


def _is_of_pool(reading: ContractReading, session: Session, pool: Pool, slot_at: int) -> bool:
    product, country = pool
    if reading.country_of(session.key.country) != country:
        return False
    judgements = reading.judgements(session.key.product, session.key.country, Period.containing(slot_at))
    return any(
        judgement.product == product and judgement.from_at <= slot_at < judgement.until_at for judgement in judgements
    )


def _offline(reading: ContractReading, pool: Pool, slot_at: int, checkouts: Iterable[TakenOut]) -> Iterator[TakenOut]:
    """The checkouts that count for a pool's product in a slot, whoever covers them."""
    for span in offline_spans(reading, checkouts, Period.containing(slot_at)):
        is_of_pool = (span.judgement.product, span.judgement.country) == pool
        if is_of_pool and span.from_at <= slot_at < span.until_at:
            yield span.taken


def _void_of(session: Session, slot_at: int, policy: MeteringPolicy, voids: Sequence[VoidEntry]) -> Uncounted | None:
    """A session whose whole use in the slot voids took away; ``None`` where some is left."""
    if any(slot_at in used_slots(left, policy, slot_at, slot_at + 1) for left in without_voided([session], voids)):
        return None
    used_at = [at for at in session.used_at() if slot_at <= at < slot_at + policy.slot_ms]
    return uncounted_by_void(session, policy, used_at, voids)
