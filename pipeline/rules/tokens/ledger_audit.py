"""The ledger recomputed from evidence, orders and contract, and how it differs (RULES 6).

Each entry is judged by the entries before it in the log: a debit needs a stretch that was connected at its start, costs
the rate in force then, and is paid by the packs whose turn it was. An entry that would be posted now for time that is
settled already is missing. So a contract, seat or evidence that was changed for the past shows as a difference, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.model.instants import DAY_MS
from pipeline.model.ledger_entries import Credit, Debit, Entry, Expiry, Grant, Posting, Refusal, Settled
from pipeline.model.orders import BuyTokens, Logged
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.tokens.connections import causes
from pipeline.rules.tokens.drafts import draft
from pipeline.rules.tokens.ledger import Ledger, LedgerBroken
from pipeline.rules.tokens.pack_order import pay
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.settling_hold import HOLD_MS, complete_until_of
from pipeline.rules.tokens.token_evidence import TokenEvidence
from pipeline.rules.tokens.token_orders import DEFAULT_TEAM, grant_of
from pipeline.rules.tokens.windows import ChargeKey

What = Literal[
    "broken",  # an entry breaks a law of the ledger; the entries after it cannot be read
    "unknown_purchase",  # a grant, credit or refusal that neither the contract nor an order explains
    "no_evidence",  # no stretch that is charged was connected at the window's start
    "other_rate",  # a rate or policy that was not in force at the window's start
    "other_length",  # a window that ends neither after its policy's time nor where the next window begins
    "other_payment",  # another team or other packs should have paid, or another sum is uncovered
    "other_expiry",  # more or less was left of a pack, or its validity ends at another instant
    "missing",  # an entry that should have been posted
]


@dataclass(frozen=True, slots=True)
class LedgerDifference:
    """One difference: the entry's id, what differs, and both sides in words."""

    entry: str
    what: What
    detail: str


def audit(
    log: Iterable[Posting],
    reading: TokenReading,
    evidence: TokenEvidence,
    orders: Sequence[Logged],
    hold_ms: int = HOLD_MS,
) -> list[LedgerDifference]:
    """How the ledger of a log differs from what evidence, orders and contract say, in log order; empty: it agrees.

    ``evidence`` must reach back as far as the log does.
    """
    auditor = _Auditor(reading, evidence, orders)
    ledger = Ledger(reading.contract.account)
    for posting in log:
        if posting.account != ledger.account or posting.sequence != ledger.sequence + 1:
            continue
        for number, entry in enumerate(posting.entries):
            auditor.judge(ledger, entry)
            single = Posting(ledger.account, ledger.sequence + 1, (entry,))
            try:
                ledger.append(single)
            except LedgerBroken as error:
                return [*auditor.differences, LedgerDifference(entry.id, "broken", str(error))]
            ledger.sequence -= number < len(posting.entries) - 1
    evidence.touch()
    auditor.lengths(ledger)
    missing = draft(
        ledger, reading.contract, evidence, orders,
        now=ledger.settled_until_at, hold_ms=hold_ms,
        complete_until=complete_until_of(ledger.settled_until_at, hold_ms),
    )  # fmt: skip
    auditor.differences += [
        LedgerDifference(entry.id, "missing", f"{entry.fact}")
        for entry in missing
        if not isinstance(entry.fact, Settled)
    ]
    return auditor.differences


class _Auditor:
    def __init__(self, reading: TokenReading, evidence: TokenEvidence, orders: Sequence[Logged]) -> None:
        self._reading, self._evidence = reading, evidence
        self._orders = {logged.command.id for logged in orders}
        purchases = [logged.command.order for logged in orders if isinstance(logged.command.order, BuyTokens)]
        bought = [pack for purchase in purchases for pack in purchase.packs]
        self._packs = {
            (grant.pack, grant.tokens, grant.team, grant.purchased_at, grant.expires_at)
            for grant in map(grant_of, (*reading.contract.token_packs, *bought))
        }
        self._sessions: dict[tuple[str, str], list[Session]] = {}
        for session in evidence.sessions():
            key = reading.country_of(session.key.country), session.key.user
            self._sessions.setdefault(key, []).append(session)
        self.differences: list[LedgerDifference] = []

    def judge(self, ledger: Ledger, entry: Entry) -> None:
        """Compare an entry with what it must be on top of the ledger so far."""
        fact = entry.fact
        differs: Callable[[What, str], None] = lambda what, detail: self.differences.append(  # noqa: E731
            LedgerDifference(entry.id, what, detail)
        )
        match fact:
            case Grant():
                if (fact.pack, fact.tokens, fact.team, fact.purchased_at, fact.expires_at) not in self._packs:
                    differs(
                        "unknown_purchase", f"pack {fact.pack} stands in no contract and no order as it was granted"
                    )
            case Credit() | Refusal():
                if fact.command not in self._orders:
                    differs("unknown_purchase", f"there is no order {fact.command}")
            case Expiry():
                pack = ledger.packs.get(fact.pack)
                if pack is None or (pack.left, pack.expires_at) != (fact.tokens, entry.at):
                    differs("other_expiry", f"{fact.tokens} tokens of {fact.pack} expire, but it holds {pack}")
            case Debit():
                self._judge_debit(ledger, fact, differs)
            case Settled():
                pass

    def _judge_debit(self, ledger: Ledger, debit: Debit, differs: Callable[[What, str], None]) -> None:
        window = debit.window
        if not causes(window, self._sessions.get((window.country, window.user), ()), self._reading):
            differs("no_evidence", f"nothing that is charged was connected when {window} starts")
        terms = self._reading.terms_at(window.product, window.country, window.start_at)
        if terms is None or (terms.rate, terms.policy.id) != (window.rate, window.policy):
            differs("other_rate", f"{window} was charged under {terms}")
        payment = pay(ledger.packs_by_team() or {DEFAULT_TEAM: []}, window.rate, window.start_at)
        if (payment.team, payment.parts, payment.uncovered) != (debit.team, debit.parts, debit.uncovered):
            differs("other_payment", f"{debit} should have been {payment}")

    def lengths(self, ledger: Ledger) -> None:
        """Check that every window lasts its policy's time, or ends where the next settled window of its key begins."""
        for entry in ledger.entries.values():
            if not isinstance(entry.fact, Debit):
                continue
            window = entry.fact.window
            terms = self._reading.terms_at(window.product, window.country, window.start_at)
            starts = [span.from_at for span in ledger.settled[ChargeKey.of(window)] if span.from_at > window.start_at]
            whole_at = window.start_at + (terms.policy.window_ms if terms else DAY_MS)
            if window.end_at != min([whole_at, *starts]):
                self.differences.append(
                    LedgerDifference(entry.id, "other_length", f"{window} should end at {whole_at}")
                )
