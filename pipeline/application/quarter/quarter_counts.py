"""A quarter counted anew: the store counts units by slot, the rules make lines of them (ARCHITECTURE, ClickHouse)."""

from __future__ import annotations

from collections.abc import Set

from pipeline import __version__
from pipeline.application.account_view import AccountView
from pipeline.application.quarter.seat_steps import SeatSteps, judgements_of, seat_steps
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import Period
from pipeline.model.statements import Basis, Line, Statement, VoidEntry
from pipeline.rules.orders.voids import overlaps
from pipeline.rules.pool.counting import Pool
from pipeline.rules.statement.completeness import complete_in
from pipeline.rules.statement.lines import statement_lines
from pipeline.store.account_totals import count_dead_letters, count_heartbeats
from pipeline.store.counting.counts import slot_counts
from pipeline.store.counting.uncovered_counts import uncovered_counts
from pipeline.store.counting.void_filter import has_evidence


def computed_statement(view: AccountView, period: Period, *, seatbeat: str = __version__) -> Statement:
    """The open statement of a quarter under the view's contract and after its orders, without tokens.

    Raises ``BeforeFirstRow`` where a policy of the contract has no row for some day of the period.
    """
    return Statement(
        account=view.account,
        period=period,
        currency=view.contract.currency,
        lines=quarter_lines(view, period),
        basis=Basis(
            complete_until=complete_in(period, view.complete_until),
            heartbeats=count_heartbeats(view.client, view.account),
            dead_letters=count_dead_letters(view.client, view.account),
            contract=view.contract.content_hash,
            seatbeat=seatbeat,
            engine=view.engine,
        ),
        voids=_voids_shown(view, period),
    )


def quarter_lines(view: AccountView, period: Period, without: Set[SessionKey] = frozenset()) -> tuple[Line, ...]:
    """The lines of people and pools of a quarter, as if the sessions ``without`` had never been.

    One query counts; where named seats are in force another tells who took them. Raises ``BeforeFirstRow``.
    """
    seats, counts = pool_counts(view, period, without)
    return statement_lines(view.reading, period, counts, seats.held, seats.named)


def pool_counts(
    view: AccountView, period: Period, without: Set[SessionKey] = frozenset()
) -> tuple[SeatSteps, dict[Pool, dict[int, int]]]:
    """The seats of people in a quarter, and what is left to the pools: units by slot. Raises ``BeforeFirstRow``."""
    judgements = judgements_of(view, period)
    seats = seat_steps(view, period, judgements, without)
    if seats.coverage or seats.offline:
        counts = uncovered_counts(
            view.client, view.account, period, judgements, seats.coverage, seats.offline, without, view.voids
        )
    else:
        counts = slot_counts(view.client, view.account, period, judgements, without, view.voids)
    return seats, counts


def _voids_shown(view: AccountView, period: Period) -> tuple[VoidEntry, ...]:
    """The voids that a period's statement shows: ranges that reach into it, sessions with evidence in it."""
    return tuple(
        void
        for void in view.voids
        if (has_evidence(view.client, view.account, void, period) if void.session else overlaps(void, period))
    )
