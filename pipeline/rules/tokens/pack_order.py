"""Pack order: which packs of tokens pay a debit, in which order, and how long a pack is valid (RULES 6).

RULES 6: "A debit takes from the packs valid at the window's start: earliest expiry, then smallest purchased size (the
dearer tokens first), then earliest purchase, then id; it may span packs. What the packs cannot pay is uncovered."
Packs are "valid [purchased_at, same date one year later) (29 February: 28 February)".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pipeline.model.instants import DAY_MS, at_midnight, calendar_day, day_of
from pipeline.model.ledger_entries import Part


def expires_at(purchased_at: int) -> int:
    """The end of a pack's validity: the same date and time of day one year later; 29 February gives 28 February."""
    bought = calendar_day(day_of(purchased_at))
    day = 28 if (bought.month, bought.day) == (2, 29) else bought.day
    return at_midnight(date(bought.year + 1, bought.month, day)) + purchased_at % DAY_MS


@dataclass(slots=True)
class Pack:
    """A pack of a team. ``tokens`` is its purchased size, ``left`` what it can still pay."""

    id: str
    team: str
    tokens: int
    purchased_at: int
    expires_at: int
    left: int

    def is_valid(self, at: int) -> bool:
        """Whether the pack can pay a window that starts at an instant."""
        return self.purchased_at <= at < self.expires_at

    @property
    def order(self) -> tuple[int, int, int, str]:
        """What packs are sorted by: the first pays first. Expiry, purchased size, purchase, id, each ascending."""
        return self.expires_at, self.tokens, self.purchased_at, self.id


@dataclass(frozen=True, slots=True)
class Payment:
    """Who pays a debit: a team, its packs in the order they are taken from, and what they cannot pay."""

    team: str
    parts: tuple[Part, ...]
    uncovered: int


def pay(packs: Mapping[str, Iterable[Pack]], rate: int, at: int) -> Payment:
    """How a charge at an instant is paid; no pack is changed. ``packs`` by team, at least one team, each in order.

    The contract does not say which users belong to a team, so every user is in every team. A team that can pay in full
    pays; among several the one whose next pack expires first, then the first by id. Where none can pay in full, the
    same order decides among those that can pay a part. Where none can pay anything, the charge is uncovered and belongs
    to the first team by id.
    """
    return min(_offer(team, in_order, rate, at) for team, in_order in packs.items())[-1]


def _offer(team: str, packs: Iterable[Pack], rate: int, at: int) -> tuple[bool, bool, int, str, Payment]:
    """What a team would pay, behind what teams are compared by: in full, in part, next expiry, id."""
    parts, missing, next_expiry_at = [], rate, 0
    for pack in packs:
        if pack.left and pack.is_valid(at):
            next_expiry_at = next_expiry_at or pack.expires_at
            taken = min(pack.left, missing)
            parts.append(Part(pack.id, taken))
            missing -= taken
            if not missing:
                break
    return missing > 0, not parts, next_expiry_at, team, Payment(team, tuple(parts), missing)
