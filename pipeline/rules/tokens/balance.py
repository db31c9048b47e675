"""What every team has now: settled by the ledger, and reserved for windows that may still move (RULES 6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.model.ledger_entries import Window
from pipeline.rules.tokens.ledger import Ledger, Team
from pipeline.rules.tokens.pack_order import Pack, pay
from pipeline.rules.tokens.token_orders import DEFAULT_TEAM


@dataclass(frozen=True, slots=True)
class TeamBalance:
    """A team's figures as they are settled, its packs in the order they pay, and what open windows will take.

    ``reserved`` is what packs will pay of the ``open_windows``, ``open_uncovered`` what they could not as it stands.
    """

    team: str
    settled: Team
    packs: tuple[Pack, ...]
    open_windows: int
    reserved: int
    open_uncovered: int

    @property
    def available(self) -> int:
        """What is left when the open windows are paid."""
        return self.settled.balance - self.reserved


def in_order(windows: Iterable[Window]) -> list[Window]:
    """Windows in the order in which they are settled."""
    return sorted(windows, key=lambda one: (one.start_at, one.product, one.user, one.country))


def balances(ledger: Ledger, open_windows: Iterable[Window]) -> tuple[TeamBalance, ...]:
    """Every team by name. Open windows are paid in the order in which they will be settled, as if that were now."""
    planned = ledger.packs_by_team() or {DEFAULT_TEAM: []}
    left = {pack.id: pack for packs in planned.values() for pack in packs}
    waiting = dict.fromkeys(sorted(planned), (0, 0, 0))
    for window in in_order(open_windows):
        payment = pay(planned, window.rate, window.start_at)
        for part in payment.parts:
            left[part.pack].left -= part.tokens
        count, reserved, uncovered = waiting[payment.team]
        paid = window.rate - payment.uncovered
        waiting[payment.team] = count + 1, reserved + paid, uncovered + payment.uncovered
    settled = ledger.packs_by_team()
    return tuple(
        TeamBalance(team, ledger.teams.get(team, Team()), tuple(settled.get(team, ())), *figures)
        for team, figures in waiting.items()
    )
