"""Orders beyond their usual bounds: a slip of the hand that would cost money, and that little or nothing takes back.

Such an order is not wrong, so no reader of the log refuses it. It is posted once its figure is stated a second time.
A void, a checkout and a contract have no bounds, as a later entry undoes them whole.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pipeline.application.account_view import AccountView
from pipeline.application.orders.line_cost import line_cost
from pipeline.model.instants import DAY_MS, iso
from pipeline.model.money import format_money
from pipeline.model.orders import Assign, BuyTokens, CheckIn, Command, CreditTokens, MoveDispute, Refused, Release
from pipeline.rules.dispute.dispute_log import disputes
from pipeline.rules.tokens.token_orders import PURCHASE_UNCONFIRMED_MAX

AHEAD_MS_MAX: Final = 92 * DAY_MS
"""A quarter. An assignment locks its seat from its own instant on, however far ahead that is."""


class Unusual(NamedTuple):
    """What is unusual about an order, and the figure that confirms it."""

    sentence: str
    figure: str


def refuse_unconfirmed(view: AccountView, command: Command, confirmed: str) -> Refused | None:
    """The refusal of an unusual order whose figure ``confirmed`` does not repeat. Raises ``BeforeFirstRow``."""
    unusual = _unusual(view, command)
    return None if unusual is None else refusal(command.id, unusual, confirmed)


def above_cost(amount: int, cost: int, currency: str, what: str) -> Unusual:
    """An amount in the smallest unit that is more than its line costs."""
    stated = format_money(amount, currency)
    return Unusual(
        f"{stated} {currency} is more than the {format_money(cost, currency)} {currency} that {what}", stated
    )


def refusal(command_id: str, unusual: Unusual, confirmed: str) -> Refused | None:
    """The refusal of what is unusual, unless it is confirmed."""
    if confirmed == unusual.figure:
        return None
    sentence = f"{unusual.sentence}: correct it, or confirm it by --confirm {unusual.figure}"
    return Refused(command_id, "unconfirmed", sentence)


def _unusual(view: AccountView, command: Command) -> Unusual | None:
    order = command.order
    match order:
        case MoveDispute(granted=int()):
            return _grant(view, command, order)
        case BuyTokens(packs=packs):
            tokens = sum(pack.tokens for pack in packs)
            if tokens > PURCHASE_UNCONFIRMED_MAX:
                return Unusual(f"{tokens:,} tokens are more than {PURCHASE_UNCONFIRMED_MAX:,}", str(tokens))
        case CreditTokens(team=team, tokens=tokens, debit=""):
            totals = view.ledger.teams.get(team)
            debited = 0 if totals is None else totals.debited
            if tokens > debited:
                reason = f"{tokens:,} tokens are more than the {debited:,} that team {team} was ever charged"
                return Unusual(reason, str(tokens))
        case Assign(at=at) | Release(at=at) if at - command.issued_at > AHEAD_MS_MAX:
            return Unusual(f"{iso(at)} is more than {AHEAD_MS_MAX // DAY_MS} days ahead", iso(at))
        case CheckIn(at=at) if at > command.issued_at:
            return Unusual(f"{iso(at)} is still to come", iso(at))
    return None


def _grant(view: AccountView, command: Command, order: MoveDispute) -> Unusual | None:
    """A grant of more than the line costs, less what other disputes of the line were granted."""
    dispute = disputes(view.orders).by_id.get(order.dispute)
    if dispute is None or order.granted is None:
        return None
    others = disputes(view.orders).credits.get(dispute.line, 0) - (dispute.granted or 0)
    cost = line_cost(view, dispute.line, now=command.issued_at)
    if order.granted <= cost - others:
        return None
    currency, (period, product, country, _) = view.contract.currency, dispute.line
    before = f", of which {format_money(others, currency)} was granted before" if others else ""
    return above_cost(order.granted, cost, currency, f"{product} in {country} costs in {period}{before}")
