"""How long the tokens last at the present rate, and what expires unused, and when (RULES 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.model.instants import DAY_MS
from pipeline.rules.tokens.flex_lines import debits
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.pack_order import Pack
from pipeline.rules.tokens.team_tokens import tokens_at, tokens_now

LOOK_BACK_DAYS = 30


@dataclass(frozen=True, slots=True)
class Unused:
    """What will be left of a pack when its validity ends."""

    pack: str
    tokens: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """A team's outlook at its present rate: what was ``charged`` in the last 30 days, uncovered charges included.

    ``days_left``: whole days until no valid token is left; ``None`` while nothing is charged.
    """

    team: str
    balance: int
    charged: int
    days_left: int | None
    unused: tuple[Unused, ...]


def forecast(ledger: Ledger, at: int) -> tuple[Forecast, ...]:
    """The outlook of every team at an instant, sorted by team: before the settled time, as things stood then."""
    teams = tokens_at(ledger, at) if at < ledger.settled_until_at else tokens_now(ledger, at)
    charged: dict[str, int] = {}
    for _, debit in debits(ledger):
        if at - LOOK_BACK_DAYS * DAY_MS <= debit.window.start_at < at:
            charged[debit.team] = charged.get(debit.team, 0) + debit.window.rate
    return tuple(_of_team(name, team.packs, charged.get(name, 0), at) for name, team in teams.items() if team.packs)


def _of_team(team: str, packs: Iterable[Pack], charged: int, at: int) -> Forecast:
    valid = [pack for pack in packs if pack.is_valid(at) and pack.left]
    unused = tuple(_unused(valid, charged, at))
    balance = sum(pack.left for pack in valid)
    usable = balance - sum(part.tokens for part in unused)
    days_left = usable * LOOK_BACK_DAYS // charged if charged else None
    return Forecast(team, balance, charged, days_left, unused)


def _unused(valid: list[Pack], charged: int, at: int) -> Iterator[Unused]:
    """Packs are used up one after another, each at most until it expires."""
    taken = 0
    for pack in valid:
        wanted = charged * (pack.expires_at - at) // (LOOK_BACK_DAYS * DAY_MS)
        used = min(pack.left, max(wanted - taken, 0))
        taken += used
        if used < pack.left:
            yield Unused(pack.id, pack.left - used, pack.expires_at)
