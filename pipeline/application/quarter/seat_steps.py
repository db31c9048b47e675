"""Whose seats cover what in a quarter: those given by hand by the rules alone, the named ones by who used first."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from pipeline.application.account_view import AccountView
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import Period
from pipeline.rules.people.checkout_counts import OfflineSpan, offline_spans
from pipeline.rules.people.coverage import Coverage, seat_coverage
from pipeline.rules.people.named_seats import NamedSeats, named_coverage, named_seats, named_stretches
from pipeline.rules.pool.reading import Judgement
from pipeline.store.counting.counts import reported_codes
from pipeline.store.counting.uncovered_counts import first_slots


@dataclass(frozen=True, slots=True)
class SeatSteps:
    """The steps of the waterfall before the pool. ``held`` is what seats given by hand cover, by assignment.

    ``coverage`` is all of it, the named seats included; ``offline`` the slots that licences taken offline overlap.
    """

    held: tuple[Coverage, ...]
    named: tuple[NamedSeats, ...]
    coverage: tuple[Coverage, ...]
    offline: tuple[OfflineSpan, ...]


def judgements_of(view: AccountView, period: Period) -> tuple[Judgement, ...]:
    """How everything is judged that the account used in a quarter. Raises ``BeforeFirstRow``."""
    reported = reported_codes(view.client, view.account, period)
    by_code = view.reading.judgements_of(reported, period)
    return tuple(judgement for judgements in by_code.values() for judgement in judgements)


def seat_steps(
    view: AccountView,
    period: Period,
    judgements: tuple[Judgement, ...] | None = None,
    without: Set[SessionKey] = frozenset(),
) -> SeatSteps:
    """The seats of people in a quarter; the store is asked only where there are named ones.

    ``judgements`` are those of ``judgements_of``, where the caller has them. What voids leave out takes no named seat.
    Raises ``BeforeFirstRow``.
    """
    contract, people = view.contract, view.people
    offline = tuple(offline_spans(view.reading, people.checkouts, period))
    held = seat_coverage(contract, people.holdings, period)
    stretches = tuple(named_stretches(contract, period))
    named: tuple[NamedSeats, ...] = ()
    if stretches:
        judged = judgements_of(view, period) if judgements is None else judgements
        slots = first_slots(view.client, view.account, period, judged, held, offline, stretches, without, view.voids)
        named = named_seats(contract, period, slots)
    return SeatSteps(held, named, (*held, *named_coverage(named, period)), offline)
