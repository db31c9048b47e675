"""Why a count is what it is: the machines, users and sessions behind a slot, and those that did not count (RULES 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.model.instants import Period
from pipeline.policy.metering import MeteringPolicy
from pipeline.rules.counting import Reason, judge_slot, unit_of, used_slots
from pipeline.rules.grace import counts_from
from pipeline.rules.pooled import overuse
from pipeline.rules.reading import ContractReading
from pipeline.rules.sessions import Session


@dataclass(frozen=True, slots=True)
class CountedUnit:
    """A machine (or a session of its own, by policy) and the sessions by which it counts in the slot."""

    machine: str
    sessions: tuple[Session, ...]


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A session with use in the slot that does not count in it, and why; ``counts_from`` where it would begin to."""

    session: Session
    reason: Reason
    counts_from: int


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
    reading: ContractReading, product: str, country: str, at: int, found: Iterable[Session]
) -> SlotExplanation:
    """Take the slot that holds ``at`` apart. ``found`` are sessions with use near it, of any code and country.

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
        reason = judge_slot(session, slot_at, policy)
        if reason == "counted":
            counted.setdefault(unit_of(session.key, policy), []).append(session)
        else:
            uncounted.append(Uncounted(session, reason, counts_from(session, policy)))
    return SlotExplanation(
        product=product,
        country=country,
        slot_at=slot_at,
        policy=policy,
        entitled=reading.entitled_at(product, country, slot_at),
        units=tuple(CountedUnit(used[0].key.machine, tuple(used)) for used in counted.values()),
        uncounted=tuple(uncounted),
    )


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
    }[reason]
