"""What is to be posted next: a draft on top of the ledger (RULES 6).

A draft depends only on the ledger, the contract, the orders in log order and the evidence. So drafting again posts
nothing new, and a stop between two postings changes nothing. The order of entries: the contract's packs that have been
bought; then each order, where a tick settles what has become complete. Within a settlement entries go by their instant:
packs that expire first, then windows in their settling order. Its last entry says up to when everything is settled.
Tokens that come into a pack whose validity was over by then expire at once.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from pipeline.model.contracts import Contract
from pipeline.model.ledger_entries import (
    Credit,
    Debit,
    Entry,
    EntryFact,
    Expiry,
    Grant,
    Posting,
    Refusal,
    Settled,
    Window,
)
from pipeline.model.orders import BuyTokens, CreditTokens, Logged, Refused, Tick
from pipeline.rules.tokens.ledger import Ledger, entry_of
from pipeline.rules.tokens.pack_order import Pack, expires_at, pay
from pipeline.rules.tokens.settling_hold import HOLD_MS, is_due, settled_until, settling_order
from pipeline.rules.tokens.token_evidence import TokenEvidence
from pipeline.rules.tokens.token_orders import DEFAULT_TEAM, buy, credit, grant_of, teams_of

POSTING_ENTRIES_MAX = 1_000
"""The entries of a posting at most."""
POSTING_BYTES_MAX = 900_000
"""The bytes of a posting's entries at most: a posting must fit into a message."""


class Draft:
    """The entries to be posted on top of a ledger, which stays as it is."""

    def __init__(self, ledger: Ledger, contract: Contract, evidence: TokenEvidence) -> None:
        self._ledger, self._contract, self._evidence = ledger, contract, evidence
        self._by_team = ledger.packs_by_team()
        self._packs = {pack.id: pack for packs in self._by_team.values() for pack in packs}
        self._grants, self._commands = dict(ledger.grants), set(ledger.commands)
        self._credited = dict(ledger.credited)
        self._debits: dict[str, Debit] = {}
        self._expired: dict[str, int] = {}
        self._settled_until_at = ledger.settled_until_at
        self._waiting: list[Window] | None = None
        self.entries: list[Entry] = []

    def grant_contract(self, now: int) -> None:
        """Grant the contract's packs that were bought by now and are not granted yet."""
        for pack in sorted(self._contract.token_packs, key=lambda pack: (pack.purchased_at, pack.id)):
            if pack.purchased_at <= now and pack.id not in self._packs:
                self._grant(grant_of(pack))
        self._expire_settled()

    def order(self, logged: Logged, hold_ms: int) -> None:
        """Carry out an order about tokens or refuse it, once for each id; at a tick, settle."""
        order, command = logged.command.order, logged.command.id
        if isinstance(order, Tick):
            self.settle(settled_until(order.complete_until, hold_ms))
        elif command in self._commands:
            return
        elif isinstance(order, BuyTokens):
            bought = buy(logged, order, self._grants, self._packs, teams_of(self._contract))
            if isinstance(bought, Refused):
                self._refuse(logged, bought)
            else:
                for grant in bought:
                    self._grant(grant)
                self._expire_settled()
        elif isinstance(order, CreditTokens):
            debit = self._debits.get(order.debit) or self._ledger.debit(order.debit)
            credited = self._credited.get(order.debit, 0)
            given = credit(logged, order, debit, credited, teams_of(self._contract))
            if isinstance(given, Refused):
                self._refuse(logged, given)
            else:
                self._credit(logged.received_at, given)
                self._expire_settled()

    def settle(self, until_at: int) -> None:
        """Settle what starts, and let expire what ends, at or before an instant, unless time has not gone on."""
        if until_at > self._settled_until_at:
            self._settle(until_at)
            self._settled_until_at = until_at
            self._add(until_at, Settled(until_at))

    def settle_end(self, until_at: int) -> None:
        """As ``settle``, at the end of an input: its late evidence is settled even where time has not gone on."""
        if until_at > self._settled_until_at:
            self.settle(until_at)
        else:
            self._settle(self._settled_until_at)

    def _settle(self, until_at: int) -> None:
        expiring = [pack for pack in self._packs.values() if pack.expires_at <= until_at and pack.left]
        due: list[tuple[int, int, tuple[str | int, ...], Pack | Window]] = [
            *((pack.expires_at, 0, (pack.id,), pack) for pack in expiring),
            *((window.start_at, 1, settling_order(window), window) for window in self._take_due(until_at)),
        ]
        for _, _, _, pack_or_window in sorted(due, key=lambda entry: entry[:3]):
            if isinstance(pack_or_window, Window):
                self._debit(pack_or_window)
            else:
                self._expire(pack_or_window)

    def _expire_settled(self) -> None:
        """Let expire what came into packs after their validity was settled: by a late purchase, or by a credit."""
        for pack in sorted(self._packs.values(), key=lambda pack: (pack.expires_at, pack.id)):
            if pack.expires_at <= self._settled_until_at:
                self._expire(pack)

    def _take_due(self, until_at: int) -> list[Window]:
        """The open windows that are settled now; they wait no more."""
        if self._waiting is None:
            by_key = self._evidence.open_windows(self._ledger).values()
            self._waiting = [window for windows in by_key for window in windows]
        due = [window for window in self._waiting if is_due(window, until_at)]
        self._waiting = [window for window in self._waiting if not is_due(window, until_at)]
        return due

    def _expire(self, pack: Pack) -> None:
        if not pack.left:  # spent before the end of its validity, or expired before
            return
        ordinal = self._expired.get(pack.id, self._ledger.expiries.get(pack.id, 0)) + 1
        self._expired[pack.id] = ordinal
        self._add(pack.expires_at, Expiry(pack.team, pack.id, pack.left), ordinal)
        pack.left = 0

    def _debit(self, window: Window) -> None:
        payment = pay(self._by_team or {DEFAULT_TEAM: []}, window.rate, window.start_at)
        for part in payment.parts:
            self._packs[part.pack].left -= part.tokens
        debit = Debit(payment.team, window, payment.parts, payment.uncovered)
        self._debits[self._add(window.start_at, debit)] = debit

    def _grant(self, grant: Grant) -> None:
        self._open(Pack(grant.pack, grant.team, grant.tokens, grant.purchased_at, grant.expires_at, grant.tokens))
        self._grants[grant.pack] = grant
        self._commands |= {grant.command} - {""}
        self._add(grant.purchased_at, grant)

    def _open(self, pack: Pack) -> None:
        self._packs[pack.id] = pack
        insort(self._by_team.setdefault(pack.team, []), pack, key=lambda pack: pack.order)

    def _credit(self, at: int, given: Credit) -> None:
        for part in given.parts:
            if given.debit:
                self._packs[part.pack].left += part.tokens
                self._credited[given.debit] = self._credited.get(given.debit, 0) + part.tokens
            else:
                self._open(Pack(part.pack, given.team, part.tokens, at, expires_at(at), part.tokens))
        self._commands.add(given.command)
        self._add(at, given)

    def _refuse(self, logged: Logged, refused: Refused) -> None:
        self._commands.add(refused.id)
        self._add(logged.received_at, Refusal(refused.id, refused.code, refused.sentence))

    def _add(self, at: int, fact: EntryFact, ordinal: int = 0) -> str:
        entry = entry_of(self._ledger.account, at, fact, ordinal)
        self.entries.append(entry)
        return entry.id


def draft(
    ledger: Ledger,
    contract: Contract,
    evidence: TokenEvidence,
    orders: Iterable[Logged],
    *,
    now: int,
    hold_ms: int = HOLD_MS,
    complete_until: int | None = None,
) -> tuple[Entry, ...]:
    """The entries to be posted. ``orders`` are the account's, in log order; ``now`` is the time of the log.

    ``complete_until`` settles once more after the orders, where there is no tick: at the end of an input.
    """
    drafted = Draft(ledger, contract, evidence)
    drafted.grant_contract(now)
    for logged in orders:
        drafted.order(logged, hold_ms)
    if complete_until is not None:
        drafted.settle_end(settled_until(complete_until, hold_ms))
    return tuple(drafted.entries)


def postings(
    ledger: Ledger,
    entries: Sequence[Entry],
    entries_max: int = POSTING_ENTRIES_MAX,
    bytes_of: Callable[[Entry], int] = lambda _: 0,
) -> tuple[Posting, ...]:
    """Entries as the next postings of a ledger, in order. Read each back from the log before the next is written.

    The entries of an order stay together, so a purchase is posted whole or not at all. ``bytes_of`` gives the bytes of
    an entry in a message, where there are messages.
    """
    return tuple(each_posting(ledger, entries, entries_max, bytes_of))


def each_posting(
    ledger: Ledger,
    entries: Sequence[Entry],
    entries_max: int = POSTING_ENTRIES_MAX,
    bytes_of: Callable[[Entry], int] = lambda _: 0,
) -> Iterator[Posting]:
    """As ``postings``, one after the other: the ledger may be appended to between two of them."""
    sequence, batch, size = ledger.sequence, list[Entry](), 0
    for _, together in groupby(enumerate(entries), key=_order_of):
        added = [entry for _, entry in together]
        added_size = sum(map(bytes_of, added))
        if batch and (len(batch) + len(added) > entries_max or size + added_size > POSTING_BYTES_MAX):
            sequence += 1
            yield Posting(ledger.account, sequence, tuple(batch))
            batch, size = [], 0
        batch += added
        size += added_size
    if batch:
        yield Posting(ledger.account, sequence + 1, tuple(batch))


def _order_of(numbered: tuple[int, Entry]) -> str | int:
    """The order that an entry belongs to; any other entry stands by itself."""
    number, entry = numbered
    return getattr(entry.fact, "command", "") or number
