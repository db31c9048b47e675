"""What every team has at an instant, and of which packs: every balance that is shown is computed here (RULES 6).

An expiry is posted when all windows before it are settled. A reader does not wait for that: of a pack whose validity is
over, what is left has expired, posted or not. Only what open windows will take of it stays in the balance.

There are two instants. ``tokens_now`` has the whole ledger, whenever its orders arrived. ``tokens_at`` has what took
effect before an instant, as a statement is dated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipeline.model.ledger_entries import Credit, Debit, Grant, Part
from pipeline.rules.tokens.ledger import Ledger, Team
from pipeline.rules.tokens.pack_order import Pack, expires_at


@dataclass(frozen=True, slots=True)
class TeamTokens:
    """A team's figures, and its packs in the order they pay; ``left`` of a pack is what it still counts for."""

    figures: Team
    packs: tuple[Pack, ...]


def tokens_now(ledger: Ledger, at: int, reserved: Mapping[str, int] | None = None) -> dict[str, TeamTokens]:
    """Every team as the whole ledger leaves it, judged at an instant; sorted by team.

    ``reserved``, by the pack's id, is what open windows will take: it does not expire.
    """
    figures = {name: replace(team) for name, team in ledger.teams.items()}
    return _judged(figures, map(replace, ledger.packs.values()), at, reserved or {})


def tokens_at(ledger: Ledger, at: int) -> dict[str, TeamTokens]:
    """Every team by the entries that take effect before an instant, whenever they were posted; sorted by team.

    Packs bought at or after the instant are left out.
    """
    figures: dict[str, Team] = {}
    packs: dict[str, Pack] = {}
    for entry in ledger.entries.values():
        if entry.at >= at:
            continue
        match entry.fact:
            case Grant() as grant:
                packs[grant.pack] = Pack(grant.pack, grant.team, grant.tokens, grant.purchased_at, grant.expires_at, 0)
                _move(figures, packs, grant.team, (Part(grant.pack, grant.tokens),), granted=1)
            case Debit() as debit:
                _move(figures, packs, debit.team, debit.parts, debited=1)
                figures[debit.team].uncovered += debit.uncovered
            case Credit(debit="") as credit:
                for part in credit.parts:
                    packs[part.pack] = Pack(part.pack, credit.team, part.tokens, entry.at, expires_at(entry.at), 0)
                _move(figures, packs, credit.team, credit.parts, granted=1)
            case Credit() as credit:
                _move(figures, packs, credit.team, credit.parts, debited=-1)
            case _:  # what has expired follows from the packs' validity
                pass
    return _judged(figures, packs.values(), at, {})


def _move(
    figures: dict[str, Team],
    packs: Mapping[str, Pack],
    name: str,
    parts: Iterable[Part],
    *,
    granted: int = 0,
    debited: int = 0,
) -> None:
    team = figures.setdefault(name, Team())
    for part in parts:
        team.granted += granted * part.tokens
        team.debited += debited * part.tokens
        team.balance += (granted - debited) * part.tokens
        packs[part.pack].left += (granted - debited) * part.tokens


def _judged(
    figures: dict[str, Team], packs: Iterable[Pack], at: int, reserved: Mapping[str, int]
) -> dict[str, TeamTokens]:
    """Let expire what is left of packs whose validity is over; ``figures`` and ``packs`` are the caller's copies."""
    by_team: dict[str, list[Pack]] = {name: [] for name in sorted(figures)}
    for pack in sorted(packs, key=lambda pack: pack.order):
        if pack.expires_at <= at:
            lost = pack.left - reserved.get(pack.id, 0)
            pack.left -= lost
            figures[pack.team].expired += lost
            figures[pack.team].balance -= lost
        by_team[pack.team].append(pack)
    return {name: TeamTokens(figures[name], tuple(in_order)) for name, in_order in by_team.items()}
