"""What a line of token charges rests on: windows with the stretches behind each, and what cost nothing (RULES 6)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model.instants import Period
from pipeline.model.statements import FlexLine
from pipeline.rules.tokens.charge_explanation import Charge, TokenExplanation
from pipeline.rules.tokens.connections import FreeConnection


@dataclass(frozen=True, slots=True)
class FlexLineExplanation:
    """A line of charges taken apart. ``charges``: the settled windows that the line adds up, by start and user.

    ``waiting`` are windows that are not settled yet and so on no line; ``free`` the connections in the period that
    cost nothing, by the opening of their session.
    """

    account: str
    period: Period
    currency: str
    line: FlexLine
    charges: tuple[Charge, ...]
    waiting: tuple[Charge, ...]
    free: tuple[FreeConnection, ...]


def explain_flex(
    account: str, period: Period, currency: str, line: FlexLine, explained: TokenExplanation
) -> FlexLineExplanation:
    """Take a line of charges apart. ``explained`` are all charges and connections around the period.

    A window belongs to the period it starts in, whole.
    """
    pool = line.product, line.country
    mine = sorted(
        (
            one
            for one in explained.charges
            if (one.window.product, one.window.country) == pool and period.contains(one.window.start_at)
        ),
        key=lambda one: (one.window.start_at, one.window.user),
    )
    return FlexLineExplanation(
        account=account,
        period=period,
        currency=currency,
        line=line,
        charges=tuple(one for one in mine if one.debit is not None),
        waiting=tuple(one for one in mine if one.debit is None),
        free=tuple(one for one in explained.free if (one.product, one.country) == pool),
    )
