"""What became of each command of an account."""

from __future__ import annotations

from pipeline.application.account_view import AccountView
from pipeline.application.tokens.token_settlement import refused_token_orders
from pipeline.codec.statement.statement_json import read_statement_json
from pipeline.rules.orders.outcomes import Outcome, outcomes


def order_outcomes(view: AccountView) -> tuple[Outcome, ...]:
    """The outcome of every command in log order, closes and orders of tokens included."""
    return outcomes(view.reading, view.log, read_statement_json, refused_token_orders(view))
