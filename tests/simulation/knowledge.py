"""Facts about use in the auditor's form: plain sets and dictionaries.

The same form is used for the raw input, for messages on ``usage`` and ``heartbeats-dlq``, and for stored rows, so that
any two of them can be compared. It shares no code with the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

Session = tuple[str, ...]
"""account, product, country, usage, machine, user, session."""


@dataclass(slots=True)
class Fact:
    """The facts of a session on a day."""

    opened_at: int
    last_at: int
    slots: frozenset[int]
    stretches: dict[int, int]
    version: str
    received_min_at: int
    received_max_at: int

    def learn(self, other: Fact) -> None:
        self.opened_at = min(self.opened_at, other.opened_at)
        self.last_at = max(self.last_at, other.last_at)
        self.slots = self.slots | other.slots
        for resumed_at, active_at in other.stretches.items():
            self.stretches[resumed_at] = max(active_at, self.stretches.get(resumed_at, active_at))
        self.version = max(self.version, other.version)
        self.received_min_at = min(self.received_min_at, other.received_min_at)
        self.received_max_at = max(self.received_max_at, other.received_max_at)

    def holds(self, other: Fact) -> bool:
        """Whether the other fact adds nothing to this one."""
        return (
            self.opened_at <= other.opened_at
            and self.last_at >= other.last_at
            and self.slots >= other.slots
            and all(self.stretches.get(start, -1) >= end for start, end in other.stretches.items())
            and self.version >= other.version
            and self.received_min_at <= other.received_min_at
            and self.received_max_at >= other.received_max_at
        )


@dataclass(slots=True)
class Knowledge:
    """Session days, closes, deliveries by (account, partition, offset), dead letters by (partition, offset, index)."""

    days: dict[tuple[Session, int], Fact] = field(default_factory=dict)
    closes: dict[Session, int] = field(default_factory=dict)
    deliveries: dict[tuple[str, int, int], int] = field(default_factory=dict)
    letters: dict[tuple[int, int, int], str] = field(default_factory=dict)

    def learn(self, other: Knowledge) -> None:
        for key, fact in other.days.items():
            self.learn_day(key, fact)
        for session, closed_at in other.closes.items():
            self.learn_close(session, closed_at)
        self.deliveries.update(other.deliveries)
        self.letters.update(other.letters)

    def learn_day(self, key: tuple[Session, int], fact: Fact) -> None:
        merged = self.days.get(key)
        if merged is None:
            merged = self.days[key] = Fact(
                fact.opened_at, fact.last_at, fact.slots, {}, fact.version, fact.received_min_at, fact.received_max_at
            )
        merged.learn(fact)

    def learn_close(self, session: Session, closed_at: int) -> None:
        self.closes[session] = max(closed_at, self.closes.get(session, closed_at))

    def of_account(self, account: str) -> Knowledge:
        """The session days and closes of an account."""
        return Knowledge(
            days={key: fact for key, fact in self.days.items() if key[0][0] == account},
            closes={session: at for session, at in self.closes.items() if session[0] == account},
        )

    def missing(self, other: Knowledge) -> str:
        """The first fact of the other that is missing here, or ``''``."""
        return next(self._missing(other), "")

    def _missing(self, other: Knowledge) -> Iterator[str]:
        for key, fact in other.days.items():
            if key not in self.days or not self.days[key].holds(fact):
                yield f"session day {key}: {fact}, known is {self.days.get(key)}"
        for session, closed_at in other.closes.items():
            if self.closes.get(session, -1) < closed_at:
                yield f"close {session} at {closed_at}"
        for place, heartbeats in other.deliveries.items():
            if self.deliveries.get(place) != heartbeats:
                yield f"delivery {place} of {heartbeats}, known is {self.deliveries.get(place)}"
        for letter, code in other.letters.items():
            if self.letters.get(letter) != code:
                yield f"dead letter {letter} {code}, known is {self.letters.get(letter)}"

    def difference(self, other: Knowledge) -> str:
        """The first difference between the two, or ``''``."""
        for name in ("days", "closes", "deliveries", "letters"):
            mine, theirs = getattr(self, name), getattr(other, name)
            for key in (*mine, *theirs):
                if mine.get(key) != theirs.get(key):
                    return f"{name} {key}: {mine.get(key)} instead of {theirs.get(key)}"
        return ""
