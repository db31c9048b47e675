"""One account's tokens as the agent has them in memory: a cache of the store and of three topics.

It decides nothing: a part that is missing is read before anything is drafted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.application.tokens.token_reading import KEPT_MS, token_reading
from pipeline.model.contracts import Contract
from pipeline.model.ledger_entries import Entry
from pipeline.model.orders import Assign, BuyTokens, CreditTokens, Logged, Release, Tick, Unvoid, Void
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.orders.voids import voids_in_force
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.balance import balances
from pipeline.rules.tokens.drafts import draft
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.token_evidence import TokenEvidence

POSTING_ORDERS = (BuyTokens, CreditTokens, Tick)
"""The orders that lead to postings."""
READING_ORDERS = (Assign, Release, Void, Unvoid)
"""The orders that change how evidence is read."""


@dataclass(slots=True)
class Book:
    """An account's contract, orders and evidence. ``orders`` by id, in log order, the first of each id.

    Ticks are not kept: the latest tick says all that earlier ticks said.

    ``partition`` is the account's partition of `commands`, ``usage`` its partition of `usage`.
    """

    contract: Contract
    partition: int
    usage: int
    orders: dict[str, Logged] = field(default_factory=dict)
    reading: TokenReading = field(init=False)
    evidence: TokenEvidence = field(init=False)

    def __post_init__(self) -> None:
        """Evidence is read under the contract and the seats that orders gave; other ones need a new book."""
        self.reading = token_reading(ContractReading(self.contract, metering_catalogue()), tuple(self.orders.values()))
        self.evidence = TokenEvidence(self.reading)

    def hear(self, logged: Logged) -> bool:
        """Take in an order; whether it changes how evidence is read. The same order again changes nothing."""
        order = logged.command.order
        if logged.command.id in self.orders or isinstance(order, Tick):
            return False
        self.orders[logged.command.id] = logged
        return isinstance(order, READING_ORDERS)

    def draft(self, ledger: Ledger, logged: Logged) -> tuple[Entry, ...]:
        """The entries to post at an order's place in the log: for all orders up to it, as of its receipt."""
        self.evidence.heed(voids_in_force(self.orders.values()))
        orders = [placed for placed in self.orders.values() if isinstance(placed.command.order, POSTING_ORDERS)]
        if isinstance(logged.command.order, Tick):
            orders.append(logged)
        return draft(ledger, self.contract, self.evidence, orders, now=logged.received_at)

    def forget(self, ledger: Ledger) -> None:
        """Drop the evidence of settled windows that nothing can change any more."""
        self.evidence.open_windows(ledger)
        self.evidence.forget(ledger.settled_until_at - KEPT_MS)

    def available(self, ledger: Ledger, at: int) -> int:
        """The tokens of all teams at an instant, less what packs will pay for open windows when they are settled."""
        waiting = self.evidence.open_windows(ledger).values()
        open_windows = [window for windows in waiting for window in windows]
        return sum(team.available for team in balances(ledger, open_windows, at))
