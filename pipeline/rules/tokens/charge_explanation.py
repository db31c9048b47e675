"""Charges taken apart: the stretches behind each window, and the connections that cost nothing (RULES 6 and 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.model.evidence import SessionKey
from pipeline.model.ledger_entries import Debit, Window
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.tokens.connections import FreeConnection, causes, free_connections
from pipeline.rules.tokens.flex_lines import debits
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.settling_hold import in_settling_order
from pipeline.rules.tokens.spans import Span


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about: a debit by its id, or use that overlaps ``[from_at, until_at)``; ``''`` means any."""

    from_at: int
    until_at: int
    entry: str = ""
    product: str = ""
    user: str = ""

    def is_about(self, product: str, user: str, from_at: int, until_at: int) -> bool:
        """Whether use of a product by a user over a time is asked about."""
        return (
            self.product in {"", product}
            and self.user in {"", user}
            and from_at < self.until_at
            and until_at > self.from_at
        )


@dataclass(frozen=True, slots=True)
class Charge:
    """A window and the stretches each of which alone would have started it; not settled yet without a debit."""

    entry: str
    window: Window
    debit: Debit | None
    causes: tuple[tuple[SessionKey, Span], ...]


@dataclass(frozen=True, slots=True)
class TokenExplanation:
    """The charges by start, and the connections that cost nothing by the opening of their session."""

    charges: tuple[Charge, ...]
    free: tuple[FreeConnection, ...]


def explain_tokens(
    ledger: Ledger,
    open_windows: Iterable[Window],
    sessions: Sequence[Session],
    reading: TokenReading,
    asked: Asked,
) -> TokenExplanation:
    """Explain what is asked about. ``sessions`` are those of the users concerned, with their whole lives."""
    settled = {debit.window: (entry.id, debit) for entry, debit in debits(ledger)}
    waiting = list(open_windows)
    by_user: dict[str, list[Session]] = {}
    for session in sessions:
        by_user.setdefault(session.key.user, []).append(session)
    charges = []
    for window in in_settling_order((*settled, *waiting)):
        entry, debit = settled.get(window, ("", None))
        concerned = asked.is_about(window.product, window.user, window.start_at, window.end_at)
        if asked.entry == entry if asked.entry else concerned:
            stretches = tuple(causes(window, by_user.get(window.user, ()), reading))
            charges.append(Charge(entry, window, debit, stretches))
    if asked.entry:
        return TokenExplanation(tuple(charges), ())
    free = free_connections(sessions, (*settled, *waiting), reading)
    asked_about = tuple(
        connection
        for connection in free
        if asked.is_about(connection.product, connection.session.user, connection.from_at, connection.until_at)
    )
    return TokenExplanation(tuple(charges), asked_about)
