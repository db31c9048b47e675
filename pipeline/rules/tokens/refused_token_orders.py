"""Which orders of tokens are refused, and why: by the ledger, else as they will be decided (RULES 6)."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.model.ledger_entries import Refusal
from pipeline.model.orders import BuyTokens, CreditTokens, Logged, Refused
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.drafts import Draft
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.token_evidence import TokenEvidence


def is_token_order(logged: Logged) -> bool:
    """Whether a command is a purchase of tokens or a credit."""
    return isinstance(logged.command.order, BuyTokens | CreditTokens)


def refused_orders(ledger: Ledger, reading: ContractReading, logged: Iterable[Logged]) -> tuple[Refused, ...]:
    """The purchases and credits of a log, no id twice, that changed nothing, in log order.

    Orders that are not in the ledger yet are judged on top of it, in log order. Evidence has no part in that.
    """
    orders = [order for order in logged if is_token_order(order)]
    facts = [entry.fact for entry in ledger.entries.values()]
    decided = {fact.command: fact for fact in facts if isinstance(fact, Refusal)}
    draft = Draft(ledger, reading.contract, TokenEvidence(TokenReading(reading, {})))
    if orders:
        draft.grant_contract(max(order.received_at for order in orders))
    refused = []
    for order in orders:
        before = len(draft.entries)
        draft.order(order, 0)
        drafted = [entry.fact for entry in draft.entries[before:]]
        refusal = decided.get(order.command.id) or next((fact for fact in drafted if isinstance(fact, Refusal)), None)
        if refusal is not None:
            possible_at = _possible_at(order, refusal.code)
            refused.append(Refused(refusal.command, refusal.code, refusal.sentence, possible_at))
    return tuple(refused)


def _possible_at(logged: Logged, code: str) -> int | None:
    """The first instant at which an order that came too early can be made."""
    order = logged.command.order
    if code != "purchased_in_future" or not isinstance(order, BuyTokens):
        return None
    return max(pack.purchased_at for pack in order.packs)
