"""What a line of token charges rests on: windows with the stretches behind each, and what cost nothing (RULES 6)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model.instants import Period
from pipeline.model.statements import FlexLine
from pipeline.rules.tokens.charge_explanation import Charge, TokenExplanation
from pipeline.rules.tokens.connections import FreeConnection


@dataclass(frozen=True, slots=True)
class FlexLineExplanation:
    """A line of charges, explained. ``charges``: the settled windows that the line adds up, by start and user.

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
    """Explain a line of charges. ``explained`` holds all charges and connections around the period.

    A window belongs whole to the period in which it starts.
    """
    pool = line.product, line.country
    of_line = [
        charge
        for charge in explained.charges
        if (charge.window.product, charge.window.country) == pool and period.contains(charge.window.start_at)
    ]
    of_line.sort(key=lambda charge: (charge.window.start_at, charge.window.user))
    return FlexLineExplanation(
        account=account,
        period=period,
        currency=currency,
        line=line,
        charges=tuple(charge for charge in of_line if charge.debit is not None),
        waiting=tuple(charge for charge in of_line if charge.debit is None),
        free=tuple(free for free in explained.free if (free.product, free.country) == pool),
    )
