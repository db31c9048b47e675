"""A second model of token licences: minute by minute, token by token, slow and plain (RULES 6).

It shares no code with ``pipeline/rules/tokens``: time advances minute by minute, a pack is a list of single tokens.
All instants are whole minutes, every session is active throughout.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

DAY = 24 * 60
YEAR = 365 * DAY
FREE = 5


@dataclass
class Token:
    """A single token of a pack. ``place`` is balance, debited or expired."""

    pack: str
    team: str
    size: int
    bought: int
    place: str = "balance"
    debit: tuple[str, int] | None = None


@dataclass
class Charged:
    """A settled window of a user, and the packs of the tokens that paid, in order."""

    user: str
    start: int
    end: int
    team: str
    paid: list[str]
    uncovered: int


@dataclass
class Auditor:
    """Computes what the ledger must say after use and orders. ``rate`` is the price of every window."""

    rate: int
    tokens: list[Token] = field(default_factory=list)
    charged: list[Charged] = field(default_factory=list)
    sessions: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    settled_until: int | None = None

    def use(self, user: str, start: int, end: int) -> None:
        self.sessions.setdefault(user, []).append((start, end))

    def buy(self, pack: str, team: str, size: int, bought: int) -> None:
        place = self._place_of(bought)
        self.tokens += [Token(pack, team, size, bought, place) for _ in range(size)]

    def _place_of(self, bought: int) -> str:
        """Where a token comes that is bought, or given back: its validity may be over, and settled."""
        is_over = self.settled_until is not None and bought + YEAR <= self.settled_until
        return "expired" if is_over else "balance"

    def give_back(self, user: str, start: int, count: int) -> bool:
        """Give back tokens of a debit; whether there are as many."""
        taken = [token for token in self.tokens if token.debit == (user, start)]
        if count > len(taken):
            return False
        order = {pack: place for place, pack in enumerate(dict.fromkeys(self._paid(user, start)))}
        for token in sorted(taken, key=lambda token: -order[token.pack])[:count]:
            token.place, token.debit = self._place_of(token.bought), None
        return True

    def _paid(self, user: str, start: int) -> list[str]:
        return next(window.paid for window in self.charged if (window.user, window.start) == (user, start))

    def tick(self, until: int) -> None:
        """Settle everything up to a minute."""
        if self.settled_until is not None and until <= self.settled_until:
            return
        due = [window for user in self.sessions for window in self._due(user, until)]
        minutes = {start for start, _, _ in due} | {
            token.bought + YEAR for token in self.tokens if token.bought + YEAR <= until
        }
        for minute in sorted(minutes):
            for token in self.tokens:
                if token.place == "balance" and token.bought + YEAR == minute:
                    token.place = "expired"
            for start, user, end in sorted(due, key=lambda window: window[:2]):
                if start == minute:
                    self._charge(user, start, end)
        self.settled_until = until

    def _due(self, user: str, until: int) -> list[tuple[int, str, int]]:
        fixed = [(window.start, window.end) for window in self.charged if window.user == user]
        late_before = max((end for _, end in fixed), default=0)
        windows: list[tuple[int, str, int]] = []
        minute = min(start for start, _ in self.sessions[user])
        while minute <= until:
            covering = [end for start, end in fixed if start <= minute < end]
            if covering:
                minute = max(covering)
                continue
            if any(self._starts(session, minute, fixed, late_before) for session in self.sessions[user]):
                following = [start for start, _ in fixed if start > minute]
                window = (minute, min([minute + DAY, *following]))
                windows.append((minute, user, window[1]))
                fixed.append(window)
            else:
                in_use = any(start <= minute < end for start, end in self.sessions[user])
                later = [start for start, _ in self.sessions[user] if start > minute]
                minute = minute + 1 if in_use else min(later, default=until + 1)
        return windows

    @staticmethod
    def _starts(session: tuple[int, int], minute: int, fixed: Iterable[tuple[int, int]], late_before: int) -> bool:
        start, end = session
        if not start <= minute < end or end - start <= FREE:
            return False
        part = [minute]
        taken = set[int]()
        for fixed_start, fixed_end in fixed:
            taken |= set(range(max(start, fixed_start), min(end, fixed_end)))
        while part[0] - 1 >= start and part[0] - 1 not in taken:
            part.insert(0, part[0] - 1)
        while part[-1] + 1 < end and part[-1] + 1 not in taken:
            part.append(part[-1] + 1)
        return minute >= late_before or len(part) > FREE

    def _charge(self, user: str, start: int, end: int) -> None:
        can: dict[str, list[Token]] = {team: [] for team in {token.team for token in self.tokens} or {"default"}}
        for token in self.tokens:
            if token.place == "balance" and token.bought <= start < token.bought + YEAR:
                can[token.team].append(token)
        full = [team for team, tokens in can.items() if len(tokens) >= self.rate]
        some = full or [team for team, tokens in can.items() if tokens] or list(can)
        soonest = {team: min([token.bought for token in can[team]], default=0) for team in some}
        team = min(some, key=lambda name: (soonest[name], name))
        paying = sorted(can[team], key=lambda token: (token.bought, token.size, token.pack))[: self.rate]
        for token in paying:
            token.place, token.debit = "debited", (user, start)
        paid = [token.pack for token in paying]
        self.charged.append(Charged(user, start, end, team, paid, self.rate - len(paid)))

    def count(self, team: str, place: str) -> int:
        return sum(token.place == place for token in self.tokens if token.team == team)
