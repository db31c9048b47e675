"""The ledger as a fold over its log: which posting counts, and what every team has (RULES 6).

**Who posts.** The first posting in the log with the next sequence number is the posting of that number. A posting whose
number is taken, or is not the next, is void for every reader. A writer reads its posting back before it posts the next
number. So a writer that was presumed dead and wakes up posts under a number that is taken, and its posting is void.

**Double entry.** Every entry moves tokens between the accounts of a team: granted by the vendor, balance of each pack,
debited, expired. After every entry granted = balance + debited + expired, and no pack is below zero or above its size.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.model.errors import InvariantBroken
from pipeline.model.ledger_entries import (
    Credit,
    Debit,
    Entry,
    EntryFact,
    Expiry,
    Grant,
    Part,
    Posting,
    Refusal,
    Settled,
)
from pipeline.rules.tokens.pack_order import Pack, expires_at
from pipeline.rules.tokens.spans import Span
from pipeline.rules.tokens.windows import ChargeKey


class LedgerBroken(InvariantBroken):
    """An entry that breaks a law of the ledger: it can only come from a defect, and the process must end."""


@dataclass(slots=True)
class Team:
    """What a team was granted, and what became of it. ``uncovered`` was charged, but no pack could pay it."""

    granted: int = 0
    debited: int = 0
    expired: int = 0
    balance: int = 0
    uncovered: int = 0


def entry_id(account: str, kind: str, *about: str | int) -> str:
    """The id of an entry: made from what it is about, by the SHA-256 of the length-prefixed texts."""
    texts = [part.encode("utf-8") for part in (kind, account, *map(str, about))]
    return hashlib.sha256(b"".join(len(text).to_bytes(4, "big") + text for text in texts)).hexdigest()[:32]


class Ledger:
    """An account's ledger. ``entries`` by id in log order; ``settled`` holds each key's windows in order of time."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.sequence = 0
        self.settled_until_at = 0
        self.entries: dict[str, Entry] = {}
        self.grants: dict[str, Grant] = {}
        self.packs: dict[str, Pack] = {}
        self.teams: dict[str, Team] = {}
        self.settled: dict[ChargeKey, list[Span]] = {}
        self.commands: set[str] = set()
        self.credited: dict[str, int] = {}
        self.expiries: dict[str, int] = {}

    def append(self, posting: Posting) -> bool:
        """Apply the log's next posting, unless it is void; whether it counts. Raises ``LedgerBroken``."""
        if posting.account != self.account or posting.sequence != self.sequence + 1:
            return False
        for entry in posting.entries:
            if entry.id in self.entries:
                raise LedgerBroken(f"entry {entry.id} stands twice in the ledger of {self.account}")
            self._apply(entry)
            self.entries[entry.id] = entry
        self.sequence = posting.sequence
        return True

    def debit(self, entry_id: str) -> Debit | None:
        """The debit with an id, ``None`` where no debit has it."""
        entry = self.entries.get(entry_id)
        return entry.fact if entry is not None and isinstance(entry.fact, Debit) else None

    def packs_by_team(self) -> dict[str, list[Pack]]:
        """Copies of the packs by team, in the order in which they pay, to plan with."""
        by_team: dict[str, list[Pack]] = {}
        for pack in sorted(self.packs.values(), key=lambda pack: pack.order):
            by_team.setdefault(pack.team, []).append(replace(pack))
        return by_team

    def _apply(self, entry: Entry) -> None:
        fact = entry.fact
        match fact:
            case Grant():
                self.grants[fact.pack] = fact
                self._open(Pack(fact.pack, fact.team, fact.tokens, fact.purchased_at, fact.expires_at, 0))
                self._move("granted", "balance", fact.team, (Part(fact.pack, fact.tokens),))
            case Debit():
                self._settle(entry, fact)
            case Expiry():
                self.expiries[fact.pack] = self.expiries.get(fact.pack, 0) + 1
                self._move("balance", "expired", fact.team, (Part(fact.pack, fact.tokens),))
            case Credit():
                self._credit(entry, fact)
            case Settled():
                self.settled_until_at = max(self.settled_until_at, fact.until_at)
            case Refusal():
                pass
        if isinstance(fact, Grant | Credit | Refusal) and fact.command:
            self.commands.add(fact.command)

    def _open(self, pack: Pack) -> None:
        if pack.id in self.packs or pack.tokens <= 0 or not pack.purchased_at < pack.expires_at:
            raise LedgerBroken(f"pack {pack.id} of {self.account} is granted twice, or holds or lasts nothing")
        self.packs[pack.id] = pack

    def _settle(self, entry: Entry, debit: Debit) -> None:
        window = debit.window
        if debit.tokens + debit.uncovered != window.rate or min(debit.uncovered, window.rate - 1) < 0:
            raise LedgerBroken(f"debit {entry.id}: what is paid and uncovered is not the rate of {window.rate}")
        for part in debit.parts:
            if not (part.pack in self.packs and self.packs[part.pack].is_valid(window.start_at)):
                raise LedgerBroken(f"debit {entry.id}: pack {part.pack} is not valid at its start")
        spans = self.settled.setdefault(ChargeKey.of(window), [])
        place = bisect_left(spans, (window.start_at, window.end_at))
        overlaps_last = place > 0 and spans[place - 1].until_at > window.start_at
        if overlaps_last or (place < len(spans) and spans[place].from_at < window.end_at):
            raise LedgerBroken(f"debit {entry.id}: its window overlaps a settled one")
        spans.insert(place, Span(window.start_at, window.end_at))
        self._move("balance", "debited", debit.team, debit.parts)
        self.teams[debit.team].uncovered += debit.uncovered

    def _credit(self, entry: Entry, credit: Credit) -> None:
        if not credit.debit:
            for part in credit.parts:
                self._open(Pack(part.pack, credit.team, part.tokens, entry.at, expires_at(entry.at), 0))
            self._move("granted", "balance", credit.team, credit.parts)
            return
        tokens, debit = sum(part.tokens for part in credit.parts), self.debit(credit.debit)
        given_back = self.credited.get(credit.debit, 0) + tokens
        if debit is None or debit.team != credit.team or given_back > debit.tokens:
            raise LedgerBroken(
                f"credit {entry.id} gives back more than the debit {credit.debit} took from {credit.team}"
            )
        self.credited[credit.debit] = given_back
        self._move("debited", "balance", credit.team, credit.parts)

    def _move(self, source: str, target: str, name: str, parts: Iterable[Part]) -> None:
        """Move tokens of a team between two of its figures. ``granted`` counts what was given, so it only grows."""
        team = self.teams.setdefault(name, Team())
        for pack_id, tokens in parts:
            pack = self.packs.get(pack_id)
            if pack is None or pack.team != name or tokens <= 0:
                raise LedgerBroken(f"{tokens} tokens of pack {pack_id}, which team {name} of {self.account} has not")
            pack.left += tokens if target == "balance" else -tokens
            if not 0 <= pack.left <= pack.tokens:
                raise LedgerBroken(f"pack {pack_id} of {self.account} would hold {pack.left} of {pack.tokens} tokens")
            setattr(team, source, getattr(team, source) + (tokens if source == "granted" else -tokens))
            setattr(team, target, getattr(team, target) + tokens)
        if team.granted != team.balance + team.debited + team.expired or min(team.balance, team.debited) < 0:
            raise LedgerBroken(f"team {name} of {self.account}: granted is not balance, debited and expired: {team}")


def read_ledger(account: str, log: Iterable[Posting]) -> Ledger:
    """An account's ledger from the postings of its log, in log order; void postings change nothing."""
    ledger = Ledger(account)
    for posting in log:
        ledger.append(posting)
    return ledger


def entry_of(account: str, at: int, fact: EntryFact, ordinal: int = 0) -> Entry:
    """A fact as an entry with its id. ``ordinal``: which expiry of a pack; it can expire again after a credit."""
    match fact:
        case Grant():
            about: tuple[str | int, ...] = ("grant", fact.pack)
        case Debit():
            about = ("debit", *ChargeKey.of(fact.window), fact.window.start_at)
        case Expiry():
            about = ("expiry", fact.pack, ordinal)
        case Credit():
            about = ("credit", fact.command)
        case Refusal():
            about = ("refusal", fact.command)
        case Settled():
            about = ("settled", fact.until_at)
    return Entry(entry_id(account, str(about[0]), *about[1:]), at, fact)
