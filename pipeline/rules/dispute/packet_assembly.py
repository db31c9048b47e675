"""How a dispute packet is assembled from what was read of a line (RULES 7).

Pure arithmetic. How a line is counted without some sessions is a function that is passed in, so the same code works
with the plain count and with the store's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.model.evidence import SessionKey
from pipeline.model.instants import DAY_MS, Period
from pipeline.model.statements import Basis, PooledLine
from pipeline.rules.dispute.flags import FLAGS, Flag, flags_of_sessions
from pipeline.rules.dispute.packet import DaySeries, Evidence, LineKind, Packet, SubCategory, WhatIf
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.people.coverage import Covered
from pipeline.rules.pool.counting import counted_slots
from pipeline.rules.pool.entitled import overlaps
from pipeline.rules.pool.overused_slots import OverusedSlot, overused_slots
from pipeline.rules.pool.reading import ContractReading

Recount = Callable[[frozenset[SessionKey]], PooledLine]
"""The line as it is without some sessions."""

MISTAKES: Final[frozenset[Flag]] = frozenset({"accidental", "forgotten"})
"""Flags that say no licence was needed. A user of two machines needed it, and ``first_use`` only asks for goodwill."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was read for a packet. ``counts`` are the pool's units by slot over the whole period.

    ``used`` are the sessions with use in over-used slots, with their whole lives; ``others`` those of their users on
    the days of that use; ``first`` the account's first sessions of the product ever; ``covered`` what seats of people
    cover.
    """

    counts: Mapping[int, int]
    used: tuple[Session, ...]
    others: tuple[Session, ...]
    first: frozenset[SessionKey]
    covered: Covered


def assemble_packet(
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
    slots = [slot.slot_at for slot in overused]
    evidence = _evidence(reading, line, period, slots, findings)
    what_if = _WhatIfs(line, evidence, recount)
    together = what_if.without(FLAGS)
    listed = reading.contract.products.get(product)
    return Packet(
        account=reading.contract.account,
        period=period,
        currency=reading.contract.currency,
        product_name=listed.name if listed else "",
        line=line,
        kind=kind_of(reading, product, country, period),
        overused=overused,
        use_days=len({slot_at // DAY_MS for slot_at in findings.counts}),
        evidence=evidence,
        alone=tuple(what_if.without((flag,)) for flag in FLAGS),
        together=together,
        days=_days(reading, line, findings.counts, overused),
        subcategory=subcategory(what_if.without(MISTAKES)),
        claimed=claim(line, together.line),
        state=state,
        basis=basis,
        invoice=invoice,
    )


class _WhatIfs:
    """The line without the sessions that carry some flags; the same sessions are counted once."""

    def __init__(self, line: PooledLine, evidence: tuple[Evidence, ...], recount: Recount) -> None:
        self._evidence, self._recount = evidence, recount
        self._lines: dict[frozenset[SessionKey], PooledLine] = {frozenset(): line}

    def without(self, left_out: Collection[Flag]) -> WhatIf:
        """The line without the sessions that carry any of some flags."""
        keys = frozenset(
            session.session.key for session in self._evidence if not frozenset(left_out).isdisjoint(session.flags)
        )
        if keys not in self._lines:
            self._lines[keys] = self._recount(keys)
        return WhatIf(tuple(flag for flag in FLAGS if flag in left_out), len(keys), self._lines[keys])


def _evidence(
    reading: ContractReading, line: PooledLine, period: Period, slots: Collection[int], findings: Findings
) -> tuple[Evidence, ...]:
    """The sessions that count in over-used slots, with their flags, by opening."""
    counting = counting_sessions(reading, line.product, line.country, period, slots, findings.used, findings.covered)
    sessions = [session for session, _ in counting]
    flags = flags_of_sessions(reading, line.product, sessions, findings.others, findings.first)
    return tuple(Evidence(session, counted, flags[session.key]) for session, counted in counting)


def counting_sessions(
    reading: ContractReading,
    product: str,
    country: str,
    period: Period,
    slots: Collection[int],
    sessions: Iterable[Session],
    covered: Covered,
) -> list[tuple[Session, tuple[int, ...]]]:
    """The sessions that count in some of the pool's ``slots``, and in which, sorted by opening.

    ``covered`` is the use that seats of people cover: it does not count in the pool (RULES 5).
    """
    wanted = frozenset(slots)
    counting = []
    for session in sorted(sessions, key=lambda session: (session.opened_at, session.key)):
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


def kind_of(reading: ContractReading, product: str, country: str, period: Period) -> LineKind:
    """``unlicensed`` where no entitlement of any model gives use of the product at any time of the period."""
    is_licensed = any(
        product in entitlement.products
        and entitlement.gives_use
        and entitlement.country == country
        and overlaps(entitlement, period.start_at, period.end_at)
        for entitlement in reading.contract.entitlements
    )
    return "over_pool" if is_licensed else "unlicensed"


def subcategory(without_mistakes: WhatIf) -> SubCategory:
    """What the ticket asks for: a cancellation where nothing is due without the sessions that needed no licence.

    Where licences stay due without them, it asks for goodwill, whatever speaks for the other sessions.
    """
    nothing_is_due = without_mistakes.sessions > 0 and without_mistakes.line.term_licenses == 0
    return "cancellation" if nothing_is_due else "goodwill"


def claim(line: PooledLine, without_flagged: PooledLine) -> int | None:
    """What is asked back: what the flagged sessions cost; where they cost nothing, the whole line as goodwill."""
    if line.amount is None or without_flagged.amount is None:
        return None
    return line.amount - without_flagged.amount or line.amount


def _days(
    reading: ContractReading, line: PooledLine, counts: Mapping[int, int], overused: Iterable[OverusedSlot]
) -> tuple[DaySeries, ...]:
    """The over-used days. Entitlements and policies change at midnight, so a day has a single quantity and policy."""
    series = []
    for day in sorted({slot.slot_at // DAY_MS for slot in overused}):
        midnight = day * DAY_MS
        slot_ms = reading.policy_at(line.product, line.country, midnight).slot_ms
        series.append(
            DaySeries(
                day=day,
                slot_ms=slot_ms,
                entitled=reading.entitled_at(line.product, line.country, midnight),
                counts=tuple(counts.get(slot_at, 0) for slot_at in range(midnight, midnight + DAY_MS, slot_ms)),
            )
        )
    return tuple(series)
