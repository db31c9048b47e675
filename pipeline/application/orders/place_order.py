"""One order: judged by the log that it is posted to, then posted; the outcome is that of the log.

An order that the log as it stands would refuse is not posted. So its id stays free for when the order becomes
possible, and a later contract cannot bring an order into effect that was once refused. What others post meanwhile is
seen afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.application.account_view import AccountView
from pipeline.application.orders.poster import Poster
from pipeline.application.orders.unusual_orders import refuse_unconfirmed
from pipeline.application.tokens.token_settlement import refused_token_orders
from pipeline.codec.topics import command_messages
from pipeline.model.errors import InputError
from pipeline.model.orders import Assign, BuyTokens, CheckOut, Command, CreditTokens, Logged, Order, Release
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.orders.first_of_id import first_of_each
from pipeline.rules.orders.outcomes import Outcome, outcomes
from pipeline.rules.pool.reading import ContractReading


@dataclass(frozen=True, slots=True)
class Issue:
    """Under which id an order is issued, by whom, and when; ``confirmed``: the figure of an unusual one, once more."""

    id: str
    by: str
    at: int
    confirmed: str = ""


def place_order(view: AccountView, order: Order, issue: Issue, poster: Poster) -> Outcome:
    """Post an order unless the log refuses it or has it already, or it is unusual and not confirmed; its outcome.

    It is judged by the contract in force, as by every reader of the log, whatever contract the view is under. An order
    about seats that names no country is one for the contract's. Raises ``CommandInvalid`` for an order that no reader
    of the log would accept, ``NotPosted``, and ``InputError`` for a view that counts in another currency.
    """
    view = _in_force(view)
    command = issued_command(view, _with_country(order, view.reading), issue)
    outcome = _outcomes(view, (*view.log, Logged(command, command.issued_at)))[-1]
    if outcome.status == "known":
        _settled(view, command, poster)
    if outcome.status != "accepted":
        return outcome
    unconfirmed = refuse_unconfirmed(view, command, issue.confirmed)
    if unconfirmed is not None:
        return replace(outcome, status="refused", refused=unconfirmed)
    after = _settled(poster.post_command(view, command), command, poster)
    return next(outcome for outcome in reversed(_outcomes(after, after.log)) if outcome.logged.command.id == command.id)


def _in_force(view: AccountView) -> AccountView:
    """The account under its stored contract; under the view's where none is stored."""
    stored, given = view.stored_contract(), view.contract
    if stored is None or stored.content_hash == given.content_hash:
        return view
    if stored.currency != given.currency:  # an order holds amounts without their currency
        reason = f"counts in {given.currency}, and the contract of {view.account} that is in force in {stored.currency}"
        raise InputError("--contract", reason, "Leave it out: orders are judged by the contract in force")
    return view.under(ContractReading(stored, metering_catalogue()))


def issued_command(view: AccountView, order: Order, issue: Issue) -> Command:
    """The command as every reader of the log will read it: texts are folded. Raises ``CommandInvalid``."""
    command = Command(issue.id, view.account, issue.by, issue.at, order)
    return command_messages.decode(command_messages.encode(command))


def _outcomes(view: AccountView, log: Sequence[Logged]) -> tuple[Outcome, ...]:
    by_ledger = refused_token_orders(view, first_of_each(log)[0])
    return outcomes(view.reading, log, by_ledger=by_ledger)


def _settled(view: AccountView, command: Command, poster: Poster) -> AccountView:
    """The account after an order of tokens is in its ledger: also for a known one, whose settling may have failed."""
    return poster.settle(view) if isinstance(command.order, BuyTokens | CreditTokens) else view


def _with_country(order: Order, reading: ContractReading) -> Order:
    if isinstance(order, Assign | Release | CheckOut):
        return replace(order, country=reading.country_of(order.country))
    return order
