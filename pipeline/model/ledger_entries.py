"""The token ledger: an append-only log of entries, and what each says (RULES 6).

Entries come in **postings**: a message holds a posting, under a sequence number of its account. A posting is valid or
void as a whole. Tokens are whole numbers, instants epoch ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple


class Window(NamedTuple):
    """A charge window ``[start_at, end_at)`` of a user and product in a country, and what it costs in tokens."""

    product: str
    country: str
    user: str
    start_at: int
    end_at: int
    rate: int
    policy: str


class Part(NamedTuple):
    """Tokens taken from a pack, or given back to it."""

    pack: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A pack of a team, valid in ``[purchased_at, expires_at)``. ``command`` is ``''`` for a contract's own pack.

    ``price`` is in the currency's smallest unit, ``None`` where it is not stated.
    """

    team: str
    pack: str
    purchase: str
    tokens: int
    purchased_at: int
    expires_at: int
    price: int | None
    command: str = ""


@dataclass(frozen=True, slots=True)
class Debit:
    """A settled window: what packs paid, in the order they were taken from, and the remainder they could not."""

    team: str
    window: Window
    parts: tuple[Part, ...]
    uncovered: int

    @property
    def tokens(self) -> int:
        """What packs paid."""
        return sum(part.tokens for part in self.parts)


@dataclass(frozen=True, slots=True)
class Expiry:
    """The rest of a pack when its validity ends; it is lost."""

    team: str
    pack: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Credit:
    """Tokens given back to the packs that paid the debit ``debit``, ordered under ``command``, for a reason."""

    team: str
    parts: tuple[Part, ...]
    debit: str
    reason: str
    command: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An order that changed nothing, and why. It is kept so that every reader of the log refuses it alike."""

    command: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Every window that starts at or before ``until_at`` is settled: what comes later is late evidence."""

    until_at: int


EntryFact = Grant | Debit | Expiry | Credit | Refusal | Settled
"""What an entry says."""

ENTRY_KINDS: Final[dict[str, type[EntryFact]]] = {
    "grant": Grant,
    "debit": Debit,
    "expiry": Expiry,
    "credit": Credit,
    "refusal": Refusal,
    "settled": Settled,
}
"""The name of each kind of entry in its message."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry. ``id`` is made from what it is about, so that the same fact has the same id in every run.

    ``at`` is the instant it takes effect: purchase, window's start, expiry, order, the end of what is settled.
    """

    id: str
    at: int
    fact: EntryFact


@dataclass(frozen=True, slots=True)
class Posting:
    """Entries that were posted together. ``sequence`` counts an account's postings from 1."""

    account: str
    sequence: int
    entries: tuple[Entry, ...]
