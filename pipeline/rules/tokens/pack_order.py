"""Packs of tokens: how long they are valid, and which of them pay a debit (RULES 6)."""

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
    """A pack as the ledger has it: ``left`` is what it can still pay."""

    id: str
    team: str
    tokens: int
    purchased_at: int
    expires_at: int
    left: int

    def is_valid(self, at: int) -> bool:
        return self.purchased_at <= at < self.expires_at

    @property
    def order(self) -> tuple[int, int, int, str]:
        """Who pays first: earliest expiry, then smallest purchased size, then earliest purchase, then id."""
        return self.expires_at, self.tokens, self.purchased_at, self.id


@dataclass(frozen=True, slots=True)
class Payment:
    """Who pays a debit: a team, its packs in the order they are taken from, and what they cannot pay."""

    team: str
    parts: tuple[Part, ...]
    uncovered: int


def pay(packs: Mapping[str, Iterable[Pack]], rate: int, at: int) -> Payment:
    """How a charge at an instant is paid. ``packs`` by team, at least one team, each in order; nothing is taken yet.

    With several teams the contract does not say who belongs to which, so every user is in every team: the one that can
    pay in full pays, and of several the one whose next pack expires first, ties by id. Where none can pay in full the
    same order decides among those that can pay something, and without any the first team by id goes uncovered.
    """
    return min(_offer(team, in_order, rate, at) for team, in_order in packs.items())[-1]


def _offer(team: str, packs: Iterable[Pack], rate: int, at: int) -> tuple[bool, bool, int, str, Payment]:
    """A team's payment behind what it is preferred by: full, any at all, next expiry, id."""
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
