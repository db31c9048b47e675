"""The dispute packet of a term-licence line: what made it due, what speaks for whom, the line without it (RULES 7).

Pure arithmetic on what the store has read. How a line is counted without some sessions is a function that is handed
in, so that the packet works with the plain count and with the store's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.model.evidence import SessionKey
from pipeline.model.instants import DAY_MS, Period
from pipeline.model.statements import Basis, PooledLine
from pipeline.rules.dispute.flags import FLAGS, Flag, flags_of_sessions
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.people.coverage import Covered
from pipeline.rules.pool.counting import counted_slots
from pipeline.rules.pool.entitled import overlaps
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.pool.term_licenses import overuse

LineKind = Literal["unlicensed", "over_pool"]
SubCategory = Literal["cancellation", "goodwill"]
Recount = Callable[[frozenset[SessionKey]], PooledLine]
"""The line as it is without some sessions."""

MISTAKES: Final[frozenset[Flag]] = frozenset({"accidental", "forgotten"})
"""Flags that say no licence was needed. Who used two machines needed one, and ``first_use`` asks for indulgence."""


@dataclass(frozen=True, slots=True)
class OverusedSlot:
    """A slot ``[slot_at, until_at)`` in which more units counted than were entitled at its start."""

    slot_at: int
    until_at: int
    count: int
    entitled: int

    @property
    def overuse(self) -> int:
        return overuse(self.count, self.entitled)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A session that counts in over-used slots: their starts, ascending, and what speaks for it."""

    session: Session
    slots: tuple[int, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The line without the sessions that carry any of ``flags``; ``sessions`` is how many they are."""

    flags: tuple[Flag, ...]
    sessions: int
    line: PooledLine


@dataclass(frozen=True, slots=True)
class DaySeries:
    """Every slot of a UTC day with over-use: ``counts`` in order of time, each ``slot_ms`` long."""

    day: int
    slot_ms: int
    entitled: int
    counts: tuple[int, ...]

    @property
    def overuse(self) -> int:
        return overuse(max(self.counts), self.entitled)


@dataclass(frozen=True, slots=True)
class Packet:
    """Everything that a vendor's ticket about one line needs. ``evidence`` is sorted by opening.

    ``use_days`` are the UTC days on which anything counted. ``claimed`` is what is asked back, ``None`` without a
    price. ``pseudonyms`` says that people, machines and sessions do not bear their own names.
    """

    account: str
    period: Period
    currency: str
    product_name: str
    line: PooledLine
    kind: LineKind
    overused: tuple[OverusedSlot, ...]
    use_days: int
    evidence: tuple[Evidence, ...]
    alone: tuple[WhatIf, ...]
    together: WhatIf
    days: tuple[DaySeries, ...]
    subcategory: SubCategory
    claimed: int | None
    state: str
    basis: Basis
    invoice: str = ""
    pseudonyms: bool = False

    @property
    def flagged(self) -> int:
        return self.together.sessions


@dataclass(frozen=True, slots=True)
class Findings:
    """What was read for a packet. ``counts`` are the pool's units by slot over the whole period.

    ``found`` are sessions with use in over-used slots, with their whole lives; ``others`` those of their users on the
    days of their use; ``first`` the account's first sessions of the product ever; ``covered`` what seats of people
    cover.
    """

    counts: Mapping[int, int]
    found: tuple[Session, ...]
    others: tuple[Session, ...]
    first: frozenset[SessionKey]
    covered: Covered


def overused_slots(
    reading: ContractReading, product: str, country: str, counts: Mapping[int, int]
) -> tuple[OverusedSlot, ...]:
    """The over-used slots of a pool, ascending."""
    found = []
    for at, count in sorted(counts.items()):
        entitled = reading.entitled_at(product, country, at)
        if count > entitled:
            found.append(OverusedSlot(at, at + reading.policy_at(product, country, at).slot_ms, count, entitled))
    return tuple(found)


def counting_sessions(
    reading: ContractReading,
    product: str,
    country: str,
    period: Period,
    slots: Collection[int],
    found: Iterable[Session],
    covered: Covered,
) -> list[tuple[Session, tuple[int, ...]]]:
    """The sessions that count in some of the pool's ``slots``, and in which, sorted by opening.

    ``covered`` is the use that seats of people cover: that does not come to the pool (RULES 5).
    """
    wanted = frozenset(slots)
    counting = []
    for session in sorted(found, key=lambda one: (one.opened_at, one.key)):
        counted = sorted(
            at
            for judgement in reading.judgements(session.key.product, session.key.country, period)
            if (judgement.product, judgement.country) == (product, country)
            for at in counted_slots(session, judgement.policy, judgement.from_at, judgement.until_at)
            if at in wanted and covered.by(product, country, session.key.user, at, judgement.policy.slot_ms) is None
        )
        if counted:
            counting.append((session, tuple(counted)))
    return counting


def packet(
    reading: ContractReading,
    period: Period,
    line: PooledLine,
    findings: Findings,
    recount: Recount,
    *,
    state: str,
    basis: Basis,
    invoice: str = "",
) -> Packet:
    """The packet of an over-used line of a period. ``state`` and ``basis`` are those of its statement."""
    product, country = line.product, line.country
    overused = overused_slots(reading, product, country, findings.counts)
    counting = counting_sessions(
        reading, product, country, period, [one.slot_at for one in overused], findings.found, findings.covered
    )
    flags = flags_of_sessions(reading, product, [one for one, _ in counting], findings.others, findings.first)
    evidence = tuple(Evidence(session, slots, flags[session.key]) for session, slots in counting)

    counted: dict[frozenset[SessionKey], PooledLine] = {frozenset(): line}

    def without(left_out: Collection[Flag]) -> WhatIf:
        keys = frozenset(one.session.key for one in evidence if not frozenset(left_out).isdisjoint(one.flags))
        named = tuple(flag for flag in FLAGS if flag in left_out)
        if keys not in counted:
            counted[keys] = recount(keys)
        return WhatIf(named, len(keys), counted[keys])

    together = without(FLAGS)
    listed = reading.contract.products.get(product)
    return Packet(
        account=reading.contract.account,
        period=period,
        currency=reading.contract.currency,
        product_name=listed.name if listed else "",
        line=line,
        kind=kind_of(reading, product, country, period),
        overused=overused,
        use_days=len({at // DAY_MS for at in findings.counts}),
        evidence=evidence,
        alone=tuple(without((flag,)) for flag in FLAGS),
        together=together,
        days=_days(reading, line, findings.counts, overused),
        subcategory=subcategory(without(MISTAKES)),
        claimed=claim(line, together.line),
        state=state,
        basis=basis,
        invoice=invoice,
    )


def kind_of(reading: ContractReading, product: str, country: str, period: Period) -> LineKind:
    """``unlicensed`` where no entitlement of any model is in force at any time of the period."""
    licensed = any(
        product in one.products and one.country == country and overlaps(one, period.start_at, period.end_at)
        for one in reading.contract.entitlements
    )
    return "over_pool" if licensed else "unlicensed"


def subcategory(without_mistakes: WhatIf) -> SubCategory:
    """What the ticket asks for: a cancellation where nothing is due without the sessions that needed no licence.

    Where licences stay due without them it is goodwill, whatever else speaks for the other sessions.
    """
    nothing_is_due = without_mistakes.sessions > 0 and without_mistakes.line.term_licenses == 0
    return "cancellation" if nothing_is_due else "goodwill"


def claim(line: PooledLine, without_flagged: PooledLine) -> int | None:
    """What is asked back: what the flagged sessions cost; all of it, as goodwill, where that is nothing."""
    if line.amount is None or without_flagged.amount is None:
        return None
    return line.amount - without_flagged.amount or line.amount


def _days(
    reading: ContractReading, line: PooledLine, counts: Mapping[int, int], overused: Iterable[OverusedSlot]
) -> tuple[DaySeries, ...]:
    """Entitlements and policies change at midnight, so a day has one of each."""
    series = []
    for day in sorted({one.slot_at // DAY_MS for one in overused}):
        midnight = day * DAY_MS
        slot_ms = reading.policy_at(line.product, line.country, midnight).slot_ms
        series.append(
            DaySeries(
                day=day,
                slot_ms=slot_ms,
                entitled=reading.entitled_at(line.product, line.country, midnight),
                counts=tuple(counts.get(at, 0) for at in range(midnight, midnight + DAY_MS, slot_ms)),
            )
        )
    return tuple(series)
