"""Whose seats cover what in a quarter: those given by hand by the rules alone, the named ones by who used first."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from pipeline.model.evidence import SessionKey
from pipeline.model.instants import Period
from pipeline.model.statements import VoidEntry
from pipeline.rules.people.checkout_counts import OfflineSpan, offline_spans
from pipeline.rules.people.coverage import Coverage, seat_coverage
from pipeline.rules.people.holders import People
from pipeline.rules.people.named_seats import NamedSeats, named_coverage, named_seats, named_stretches
from pipeline.rules.pool.reading import ContractReading, Judgement
from pipeline.store.client import Client
from pipeline.store.counts import reported_codes
from pipeline.store.uncovered_counts import first_slots


@dataclass(frozen=True, slots=True)
class SeatSteps:
    """The steps of the waterfall before the pool. ``held`` is what seats given by hand cover, by assignment.

    ``coverage`` is all of it, the named seats included; ``offline`` the slots that licences taken offline overlap.
    """

    held: tuple[Coverage, ...]
    named: tuple[NamedSeats, ...]
    coverage: tuple[Coverage, ...]
    offline: tuple[OfflineSpan, ...]


def judgements_of(client: Client, reading: ContractReading, period: Period) -> tuple[Judgement, ...]:
    """How everything is judged that the contract's account used in a quarter. Raises ``BeforeFirstRow``."""
    reported = reported_codes(client, reading.contract.account, period)
    return tuple(one for found in reading.judgements_of(reported, period).values() for one in found)


def read_seats(
    client: Client,
    reading: ContractReading,
    people: People,
    period: Period,
    judgements: tuple[Judgement, ...] | None = None,
    without: Set[SessionKey] = frozenset(),
    voids: Sequence[VoidEntry] = (),
) -> SeatSteps:
    """The seats of people in a quarter; the store is asked only where there are named ones.

    ``judgements``, where they are known already, are those of ``judgements_of``. What ``voids`` leave out takes no
    named seat. Raises ``BeforeFirstRow``.
    """
    contract = reading.contract
    offline = tuple(offline_spans(reading, people.checkouts, period))
    held = seat_coverage(contract, people.holdings, period)
    stretches = tuple(named_stretches(contract, period))
    named: tuple[NamedSeats, ...] = ()
    if stretches:
        judged = judgements_of(client, reading, period) if judgements is None else judgements
        slots = first_slots(client, contract.account, period, judged, held, offline, stretches, without, voids)
        named = named_seats(contract, period, slots)
    return SeatSteps(held, named, (*held, *named_coverage(named, period)), offline)
