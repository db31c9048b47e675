"""What a line of seats tied to people rests on: who has one, what it covers, and where the rest of their use counts.

Told are those who hold a seat and those who found none left (RULES 5 and 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.model.instants import BASE_SLOT_MS, Period
from pipeline.model.statements import SeatLine, VoidEntry
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.slot_explanation import Uncounted
from pipeline.rules.live.grace import counts_from
from pipeline.rules.orders.voids import voided_by, without_voided
from pipeline.rules.people.assignments import Holding
from pipeline.rules.people.checkout_counts import offline_spans
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.people.coverage import Coverage, Covered
from pipeline.rules.people.named_seats import NamedSeats
from pipeline.rules.pool.counting import Pool, judge_slot, used_slots
from pipeline.rules.pool.reading import ContractReading

Place = Literal["single_user", "practitioner", "named", "pooled", "flex"]
"""Where use counts: the steps of the waterfall that cover it, the pool after them, or the charges in tokens."""
Slots = Mapping[Place, tuple[int, ...]]
"""The starts of slots by where use counts in them, ascending. In tokens a slot is a base slot."""


@dataclass(frozen=True, slots=True)
class SessionUse:
    """A session of the line's product and where it counts; ``uncounted`` is why it counts nowhere in the period."""

    session: Session
    slots: Slots
    uncounted: Uncounted | None
    policy: MeteringPolicy


@dataclass(frozen=True, slots=True)
class CheckoutUse:
    """A licence taken offline and where it counts."""

    taken: TakenOut
    slots: Slots


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a line with all their use of its product in the period.

    ``covered`` is when their seat covers use, ascending; empty for whom there was none left. ``assigned``: how they
    came to a seat that is given by hand; ``taken_at``: the slot of use that took a named one, of the line's product or
    of one of ``shared_with``.
    """

    user: str
    covered: tuple[tuple[int, int], ...]
    assigned: tuple[Holding, ...]
    taken_at: int | None
    shared_with: tuple[str, ...]
    sessions: tuple[SessionUse, ...]
    checkouts: tuple[CheckoutUse, ...]

    @property
    def holds(self) -> bool:
        return bool(self.covered)


@dataclass(frozen=True, slots=True)
class SeatLineExplanation:
    """A line of seats down to sessions: those who hold one in the order of the line, then those who found none."""

    account: str
    period: Period
    currency: str
    line: SeatLine
    people: tuple[Person, ...]


class _JudgedSession(NamedTuple):
    """A used slot of the line's product: where it counts, or why not."""

    slot_at: int
    uncounted: Uncounted | None
    place: Place
    policy: MeteringPolicy


def overflow_of(line: SeatLine, named: Iterable[NamedSeats]) -> tuple[str, ...]:
    """The users that a line counts as overflow, in the order in which they found no seat left; none but of named."""
    if line.model != "named":
        return ()
    found = (user for one in named if _is_of_line(one, line) for user in one.overflow)
    return tuple(dict.fromkeys(user for user in found if user not in line.users))


def explain_seats(
    reading: ContractReading,
    period: Period,
    line: SeatLine,
    users: Iterable[str],
    found: Iterable[Session],
    *,
    coverage: Sequence[Coverage],
    named: Sequence[NamedSeats],
    holdings: Sequence[Holding],
    checkouts: Iterable[TakenOut] = (),
    voids: Sequence[VoidEntry] = (),
) -> tuple[Person, ...]:
    """Take users of a line apart, in the order given.

    ``found`` are their sessions of any code and country, as evidence tells them; ``voids`` are applied here, so that
    what they took away is told as well. ``coverage`` is of all steps and users. Raises ``BeforeFirstRow``.
    """
    covered = Covered(coverage)
    sessions: dict[str, list[SessionUse]] = {}
    for session in sorted(found, key=lambda one: (one.opened_at, one.key)):
        use = _session_use(reading, period, line, session, covered, voids)
        if use is not None:
            sessions.setdefault(session.key.user, []).append(use)
    offline = _checkout_uses(reading, period, line, checkouts, covered)
    return tuple(
        Person(
            user=user,
            covered=tuple(sorted((one.from_at, one.until_at) for one in coverage if _covers_line(one, line, user))),
            assigned=tuple(one for one in holdings if _assigns_line(one, line, user, period)),
            taken_at=next((at for one in _of_user(named, line, user) for who, at in one.holders if who == user), None),
            shared_with=tuple(
                product for one in _of_user(named, line, user) for product in one.products if product != line.product
            ),
            sessions=tuple(sessions.get(user, ())),
            checkouts=tuple(one for one in offline if one.taken.user == user),
        )
        for user in users
    )


def _session_use(
    reading: ContractReading,
    period: Period,
    line: SeatLine,
    session: Session,
    covered: Covered,
    voids: Sequence[VoidEntry],
) -> SessionUse | None:
    """Where a session counts; ``None`` where it has no use of the line's product in the period."""
    judged = list(_judged(reading, period, line, session, covered))
    if not judged:
        return None
    left = [one for kept in without_voided([session], voids) for one in _judged(reading, period, line, kept, covered)]
    slots = _by_place((one.place, one.slot_at) for one in left if one.uncounted is None)
    last, uncounted = (left or judged)[-1], None
    if not slots:
        uncounted = last.uncounted
        if not left or any(one.uncounted is None for one in judged):
            used = (at for at in session.used_at() if period.contains(at))
            void = next(void for at in used if (void := voided_by(session, at, voids)) is not None)
            uncounted = Uncounted(session, "voided", counts_from(session, last.policy), void=void)
    return SessionUse(session, slots, uncounted, last.policy)


def _judged(
    reading: ContractReading, period: Period, line: SeatLine, session: Session, covered: Covered
) -> Iterator[_JudgedSession]:
    """The slots of the line's product that a session used in the period, those metered in tokens last."""
    key, pool = session.key, (line.product, line.country)
    if reading.country_of(key.country) != line.country:
        return
    for judgement in reading.judgements(key.product, key.country, period):
        if (judgement.product, judgement.country) != pool:
            continue
        policy = judgement.policy
        for slot_at in used_slots(session, policy, judgement.from_at, judgement.until_at):
            by = covered.by(*pool, key.user, slot_at, policy.slot_ms)
            reason = judge_slot(session, slot_at, policy)
            no = None if reason == "counted" else Uncounted(session, reason, counts_from(session, policy))
            yield _JudgedSession(slot_at, no, "pooled" if by is None else by.step, policy)
    for at in session.used_at():
        if not period.contains(at) or reading.product_at(key.product, at) != line.product:
            continue
        if reading.is_charged(*pool, at):
            by = covered.by(*pool, key.user, at, BASE_SLOT_MS)
            no = None if session.is_production else Uncounted(session, "not_production", session.opened_at)
            is_seated = by is not None and by.step == "single_user"  # no other seat spares tokens (RULES 6)
            yield _JudgedSession(at, no, "single_user" if is_seated else "flex", reading.policy_at(*pool, at))


def _checkout_uses(
    reading: ContractReading, period: Period, line: SeatLine, checkouts: Iterable[TakenOut], covered: Covered
) -> list[CheckoutUse]:
    pool: Pool = (line.product, line.country)
    found: dict[TakenOut, list[tuple[Place, int]]] = {}
    for span in offline_spans(reading, checkouts, period):
        judgement, user = span.judgement, span.taken.user
        if (judgement.product, judgement.country) == pool:
            for slot_at in range(span.from_at, span.until_at, judgement.policy.slot_ms):
                by = covered.by(*pool, user, slot_at, judgement.policy.slot_ms)
                found.setdefault(span.taken, []).append(("pooled" if by is None else by.step, slot_at))
    return [CheckoutUse(taken, _by_place(slots)) for taken, slots in found.items()]


def _by_place(found: Iterable[tuple[Place, int]]) -> Slots:
    slots: dict[Place, list[int]] = {}
    for place, slot_at in found:
        slots.setdefault(place, []).append(slot_at)
    return {place: tuple(sorted(starts)) for place, starts in slots.items()}


def _covers_line(one: Coverage, line: SeatLine, user: str) -> bool:
    return (one.product, one.country, one.step, one.user) == (line.product, line.country, line.model, user)


def _assigns_line(one: Holding, line: SeatLine, user: str, period: Period) -> bool:
    is_of_user = (one.product, one.country, one.model, one.user) == (line.product, line.country, line.model, user)
    return is_of_user and one.from_at < period.end_at and one.ends_after(period.start_at)


def _is_of_line(one: NamedSeats, line: SeatLine) -> bool:
    return one.country == line.country and line.product in one.products


def _of_user(named: Iterable[NamedSeats], line: SeatLine, user: str) -> list[NamedSeats]:
    """The named seats of a line of which a user holds one."""
    of_line = (one for one in named if line.model == "named" and _is_of_line(one, line))
    return [one for one in of_line if any(who == user for who, _ in one.holders)]
