"""A quarter is closed: its statement is frozen with all that it rests on (RULES 7)."""

from __future__ import annotations

from dataclasses import replace

from pipeline.application.account_view import AccountView
from pipeline.application.orders.place_order import Issue, issued_command
from pipeline.application.orders.poster import Poster
from pipeline.application.quarter.silent_report import silent_report
from pipeline.application.quarter.statement_life import open_statement
from pipeline.codec.statement.statement_json import statement_json
from pipeline.model.instants import Period
from pipeline.model.orders import Close, Command, Refused
from pipeline.model.statements import Statement
from pipeline.rules.statement.closes import Closed, refuse_close
from pipeline.rules.statement.completeness import is_complete


class ContractNotStored(Exception):
    """The store does not hold the contract that a quarter was to be closed under."""


def close_quarter(
    view: AccountView, period: Period, issue: Issue, poster: Poster, *, is_forced: bool = False
) -> Closed | Refused:
    """Close a quarter under the view's contract, or say why it stays as it is.

    The same id again returns the close that stands. ``is_forced`` closes although evidence is not complete, which is
    recorded, or although there is nothing to freeze. Raises ``ContractNotStored``, ``BeforeFirstRow``, ``NotPosted``,
    and ``InputError`` where closed quarters cannot be read under this contract.
    """
    if view.stored_contract(view.contract.content_hash) is None:
        raise ContractNotStored(view.contract.content_hash)
    first = view.closes.quarters.get(period.name)
    if first is not None and first.id == issue.id:
        return first
    in_force = view.stored_contract()
    if in_force is not None and in_force.currency != view.contract.currency:
        currencies = f"in {view.contract.currency}, and the contract in force in {in_force.currency}"
        sentence = f"This contract counts {currencies}: no later statement could carry what changes of {period.name}."
        return Refused(issue.id, "other_currency", sentence)
    statement = replace(open_statement(view, period, now=issue.at), state="closed")
    close = _frozen(view, statement, is_forced=is_forced)
    command = issued_command(view, close, issue)
    refused = refuse_close(command, close, view.closes.quarters)
    if refused is None and not is_forced and not statement.lines and not statement.adjustments:
        # Not a rule of the log: closes of empty quarters that stand in it already are closes.
        sentence = (
            f"Nothing was used or licensed in {period.name}: if it is the right quarter, closing it must be forced."
        )
        refused = Refused(issue.id, "empty", sentence)
    return refused or _effect(poster.post_command(view, command), command, period)


def _frozen(view: AccountView, statement: Statement, *, is_forced: bool) -> Close:
    """The close of a quarter with its statement as the evidence is now."""
    period = statement.period
    complete_until = statement.basis.complete_until
    return Close(
        period=period.name,
        contract=view.contract.content_hash,
        statement=statement_json(statement).decode("utf-8"),
        complete_until=complete_until,
        silent_machines=len(silent_report(view, period).machines),
        forced=is_forced and not is_complete(period, complete_until),
    )


def _effect(after: AccountView, command: Command, period: Period) -> Closed | Refused:
    """The close that stands, or why this one does not: the log had another before it."""
    refused = next((refused for refused in after.closes.refused if refused.id == command.id), None)
    if refused is not None:
        return refused
    closed = after.closes.quarters.get(period.name)
    if closed is None or closed.command != command:
        return Refused(command.id, "conflict", f"The id {command.id} stands for another order: nothing was closed.")
    return closed
