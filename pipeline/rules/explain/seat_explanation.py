"""What a line of seats tied to people rests on: who has a seat, what it covers, and where the rest of their use counts.

Explained are the users who hold a seat and those for whom none was left (RULES 5 and 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.model.instants import Period
from pipeline.model.statements import SeatLine, VoidEntry
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.seat_use import CheckoutUse, SessionUse, checkout_uses_of, session_use
from pipeline.rules.people.assignments import Holding
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.people.coverage import Coverage, Covered
from pipeline.rules.people.named_seats import NamedSeats
from pipeline.rules.pool.reading import ContractReading


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a line with all their use of its product in the period.

    ``covered`` is when their seat covers use, ascending; empty where none was left. ``assigned``: how they came to a
    seat that is given by hand; ``taken_at``: the slot of use that took a named seat, of the line's product or of a
    product in ``shared_with``.
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
        """Whether the user has a seat at some time of the period."""
        return bool(self.covered)


@dataclass(frozen=True, slots=True)
class SeatLineExplanation:
    """A line of seats down to sessions: those who hold a seat in the order of the line, then those without."""

    account: str
    period: Period
    currency: str
    line: SeatLine
    people: tuple[Person, ...]


def overflow_of(line: SeatLine, named: Iterable[NamedSeats]) -> tuple[str, ...]:
    """The users that a line of named seats counts as overflow, in the order in which no seat was left for them."""
    if line.model != "named":
        return ()
    overflow = (user for seats in named if _is_of_line(seats, line) for user in seats.overflow)
    return tuple(dict.fromkeys(user for user in overflow if user not in line.users))


def explain_seats(
    reading: ContractReading,
    period: Period,
    line: SeatLine,
    users: Iterable[str],
    sessions: Iterable[Session],
    *,
    coverage: Sequence[Coverage],
    named: Sequence[NamedSeats],
    holdings: Sequence[Holding],
    checkouts: Iterable[TakenOut] = (),
    voids: Sequence[VoidEntry] = (),
) -> tuple[Person, ...]:
    """Explain users of a line, in the order given.

    ``sessions`` are theirs, of any code and country, as evidence has them. ``voids`` are applied here, so that what
    they took away is explained as well. ``coverage`` is of all steps and users. Raises ``BeforeFirstRow``.
    """
    covered = Covered(coverage)
    uses: dict[str, list[SessionUse]] = {}
    for session in sorted(sessions, key=lambda session: (session.opened_at, session.key)):
        use = session_use(reading, period, line, session, covered, voids)
        if use is not None:
            uses.setdefault(session.key.user, []).append(use)
    offline = checkout_uses_of(reading, period, line, checkouts, covered)
    people = []
    for user in users:
        held = _held_by(named, line, user)
        people.append(
            Person(
                user=user,
                covered=tuple(
                    sorted(
                        (stretch.from_at, stretch.until_at)
                        for stretch in coverage
                        if _is_of_user(line, user, stretch.product, stretch.country, stretch.step, stretch.user)
                    )
                ),
                assigned=tuple(holding for holding in holdings if _is_assigned(holding, line, user, period)),
                taken_at=next((at for seats in held for holder, at in seats.holders if holder == user), None),
                shared_with=tuple(product for seats in held for product in seats.products if product != line.product),
                sessions=tuple(uses.get(user, ())),
                checkouts=tuple(use for use in offline if use.taken.user == user),
            )
        )
    return tuple(people)


def _is_of_user(line: SeatLine, user: str, *seat_of: str) -> bool:
    """Whether a seat is of a line's kind and a user's; ``seat_of``: product, country, model and user."""
    return seat_of == (line.product, line.country, line.model, user)


def _is_assigned(holding: Holding, line: SeatLine, user: str, period: Period) -> bool:
    """Whether a user holds a seat of the line by hand at some time of the period."""
    is_of_user = _is_of_user(line, user, holding.product, holding.country, holding.model, holding.user)
    return is_of_user and holding.from_at < period.end_at and holding.ends_after(period.start_at)


def _is_of_line(seats: NamedSeats, line: SeatLine) -> bool:
    return seats.country == line.country and line.product in seats.products


def _held_by(named: Iterable[NamedSeats], line: SeatLine, user: str) -> list[NamedSeats]:
    """The groups of named seats for a line's product in which a user has a seat."""
    if line.model != "named":
        return []
    of_line = (seats for seats in named if _is_of_line(seats, line))
    return [seats for seats in of_line if any(holder == user for holder, _ in seats.holders)]
