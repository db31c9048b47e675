"""A statement's lines from sessions by the plain rules: the reference that the store's counts must equal."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.model.instants import DAY_MS, Period
from pipeline.model.statements import PooledLine, SeatLine
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.people.checkout_counts import checkout_uses
from pipeline.rules.people.coverage import Coverage, Covered, seat_coverage
from pipeline.rules.people.holders import People
from pipeline.rules.people.named_seats import NamedSeats, named_coverage, named_seats
from pipeline.rules.people.waterfall import Use, counted_slot, session_uses, uncovered, units_by_slot
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.lines import statement_lines


def lines(
    reading: ContractReading, people: People, period: Period, sessions: Iterable[Session]
) -> tuple[PooledLine | SeatLine, ...]:
    """The people's and the pools' lines of a quarter. ``sessions`` are the account's, each with its whole life.

    Raises ``BeforeFirstRow`` where a policy of the contract says nothing of some day in the period.
    """
    used = uses(reading, people, period, sessions)
    held, named = seats(reading, people, period, used)
    covered = Covered([*held, *named_coverage(named, period)])
    return statement_lines(reading, period, units_by_slot(uncovered(used, covered)), held, named)


def uses(reading: ContractReading, people: People, period: Period, sessions: Iterable[Session]) -> tuple[Use, ...]:
    """Everything that counts in a quarter, by session or by checkout, whoever covers it."""
    concerned = [session for session in sessions if session.is_production and _is_used_in(session, period)]
    reported = {(session.key.product, session.key.country) for session in concerned}
    judgements = reading.judgements_of(reported, period)
    return (*session_uses(concerned, judgements), *checkout_uses(reading, people.checkouts, period))


def seats(
    reading: ContractReading, people: People, period: Period, used: Iterable[Use]
) -> tuple[tuple[Coverage, ...], tuple[NamedSeats, ...]]:
    """What seats given by hand cover in a quarter, and who holds its named seats."""
    held = seat_coverage(reading.contract, people.holdings, period)
    slots = [counted_slot(use) for use in uncovered(used, Covered(held))]
    return held, named_seats(reading.contract, period, slots)


def _is_used_in(session: Session, period: Period) -> bool:
    return any(period.contains(day * DAY_MS) for day in session.used_slots)
