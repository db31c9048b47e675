"""What every team has now: what the ledger has settled, less what is reserved for windows not settled (RULES 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.model.ledger_entries import Window
from pipeline.rules.tokens.ledger import Ledger, Team
from pipeline.rules.tokens.pack_order import Pack, pay
from pipeline.rules.tokens.settling_hold import in_settling_order
from pipeline.rules.tokens.team_tokens import TeamTokens, tokens_now
from pipeline.rules.tokens.token_orders import DEFAULT_TEAM


@dataclass(frozen=True, slots=True)
class TeamBalance:
    """A team's settled figures, its packs in the order they pay, and what its open windows will take.

    ``reserved`` is what packs will pay for the ``open_windows``; ``open_uncovered`` is what they could not pay if these
    were settled now.
    """

    team: str
    settled: Team
    packs: tuple[Pack, ...]
    open_windows: int
    reserved: int
    open_uncovered: int

    @property
    def available(self) -> int:
        """What is left after the open windows are paid."""
        return self.settled.balance - self.reserved


def balances(ledger: Ledger, open_windows: Iterable[Window], at: int) -> tuple[TeamBalance, ...]:
    """Every team, by name, judged at an instant. Open windows are paid as if they were settled now, in that order.

    A team without a pack is among them where a charge is uncovered that belongs to it.
    """
    planned = ledger.packs_by_team() or {DEFAULT_TEAM: []}
    left = {pack.id: pack for packs in planned.values() for pack in packs}
    waiting = dict.fromkeys(sorted(planned.keys() | ledger.teams.keys()), (0, 0, 0))
    taken = Counter[str]()
    for window in in_settling_order(open_windows):
        payment = pay(planned, window.rate, window.start_at)
        for part in payment.parts:
            left[part.pack].left -= part.tokens
            taken[part.pack] += part.tokens
        count, reserved, uncovered = waiting[payment.team]
        paid = window.rate - payment.uncovered
        waiting[payment.team] = count + 1, reserved + paid, uncovered + payment.uncovered
    settled, nothing = tokens_now(ledger, at, taken), TeamTokens(Team(), ())
    teams = {team: settled.get(team, nothing) for team in waiting}
    return tuple(
        TeamBalance(team, teams[team].figures, teams[team].packs, *figures) for team, figures in waiting.items()
    )
