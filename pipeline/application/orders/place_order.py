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
from pipeline.application.tokens.token_settlement import refused_token_orders
from pipeline.codec.topics import command_messages
from pipeline.model.orders import Assign, BuyTokens, CheckOut, Command, CreditTokens, Logged, Order, Release
from pipeline.rules.orders.first_of_id import first_of_each
from pipeline.rules.orders.outcomes import Outcome, outcomes
from pipeline.rules.pool.reading import ContractReading


@dataclass(frozen=True, slots=True)
class Issue:
    """Under which id an order is issued, by whom, and when."""

    id: str
    by: str
    at: int


def place_order(view: AccountView, order: Order, issue: Issue, poster: Poster) -> Outcome:
    """Post an order unless the log refuses it or has it already, and return its outcome.

    An order about seats that names no country is one for the contract's. Raises ``CommandInvalid`` for an order that
    no reader of the log would accept, and ``NotPosted``.
    """
    command = issued_command(view, _with_country(order, view.reading), issue)
    outcome = _outcomes(view, (*view.log, Logged(command, command.issued_at)))[-1]
    if outcome.status == "known":
        _settled(view, command, poster)
    if outcome.status != "accepted":
        return outcome
    after = _settled(poster.post_command(view, command), command, poster)
    return next(outcome for outcome in reversed(_outcomes(after, after.log)) if outcome.logged.command.id == command.id)


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
