"""A statement's life (RULES 7): open with its adjustments, closed as it was frozen.

Every reader of statements asks here. What is frozen stands in the closes of the log; what is open is computed anew,
under the view's contract and after its orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline import __version__
from pipeline.application.account_view import AccountView
from pipeline.application.as_of_view import close_as_of, under_version
from pipeline.application.quarter.quarter_counts import computed_statement, quarter_lines
from pipeline.application.tokens.token_settlement import with_tokens
from pipeline.model.errors import InputError
from pipeline.model.instants import Period
from pipeline.model.orders import Unvoid, Void
from pipeline.model.statements import Statement
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.adjustments import Amounts, Recomputed, adjustments, at_billed_prices
from pipeline.rules.statement.closes import Closed, billed_since
from pipeline.rules.statement.credits import granted


def current_statement(view: AccountView, period: Period, *, now: int, seatbeat: str = __version__) -> Statement:
    """The statement of a quarter: as it was frozen where it is closed, else from today's evidence.

    Raises ``BeforeFirstRow``, and ``InputError`` where closed quarters cannot be read under this contract.
    """
    closed = view.closes.quarters.get(period.name)
    return open_statement(view, period, now=now, seatbeat=seatbeat) if closed is None else closed.statement


def open_statement(view: AccountView, period: Period, *, now: int, seatbeat: str = __version__) -> Statement:
    """A quarter recomputed from the facts; its adjustments if it is not closed, and its tokens as at ``now``.

    Raises as ``current_statement`` does.
    """
    computed = with_tokens(computed_statement(view, period, seatbeat=seatbeat), view, now=now)
    quarters = view.closes.quarters
    _check_currency(view)
    recomputation = _Recomputation(view, quarters, granted(view.orders))
    frozen = {name: closed.statement for name, closed in quarters.items()}
    return replace(computed, adjustments=adjustments(frozen, period, recomputation.recompute))


def check_closed_quarters(view: AccountView) -> None:
    """Raise ``InputError`` where the view's contract cannot be in force, because closed quarters are read under it.

    Another currency, or a policy that says nothing of a closed quarter, would fail every statement from then on.
    """
    _check_currency(view)
    for name, closed in view.closes.quarters.items():
        try:
            quarter_lines(view, closed.period)
        except BeforeFirstRow as error:
            reason = f"cannot count {name}, which is closed: {error}"
            raise InputError("the contract", reason, "Choose policies that cover every closed quarter") from error


def _check_currency(view: AccountView) -> None:
    currency = view.contract.currency
    for name, closed in view.closes.quarters.items():
        if closed.statement.currency != currency:
            reason = f"counts in {currency}, but {name} was closed in {closed.statement.currency}"
            raise InputError("the contract", reason, "Keep the currency, and have another account for another one")


def statement_as_of(view: AccountView, period: Period, as_of: str, *, now: int) -> Statement:
    """What the close that is named froze, or the quarter recomputed under the version that is named.

    Raises ``InputError``, and as ``current_statement`` does.
    """
    closed = close_as_of(view, period, as_of)
    return open_statement(under_version(view, as_of), period, now=now) if closed is None else closed.statement


@dataclass(frozen=True, slots=True)
class _Recomputation:
    """Closed quarters, recomputed from today's evidence with more and more of today's voids, contract and people."""

    view: AccountView
    quarters: Mapping[str, Closed]
    granted: Mapping[str, Amounts]

    def recompute(self, statement: Statement) -> Recomputed:
        period, today = statement.period, self.view
        closed = self.quarters[period.name]
        then = today.at_close(closed)
        since = today.orders[closed.position :]
        voids = tuple(logged for logged in since if isinstance(logged.command.order, Void | Unvoid))
        as_closed = quarter_lines(then, period)
        with_voids = quarter_lines(then.after((*then.orders, *voids)), period) if voids else as_closed
        only_voids_since = then.reading is today.reading and len(since) == len(voids)
        return Recomputed(
            as_closed=as_closed,
            with_voids=with_voids,
            with_contract=with_voids if only_voids_since else quarter_lines(self._at_billed_prices(closed), period),
            granted=self.granted.get(period.name, {}),
        )

    def _at_billed_prices(self, closed: Closed) -> AccountView:
        """Today's view, with the prices that the quarter was closed with, or that closes since have billed."""
        billed = [self.view.reading_of_close(later).contract for later in billed_since(closed, self.quarters)]
        contract = at_billed_prices(self.view.contract, billed)
        return self.view.under(ContractReading(contract, metering_catalogue()))
