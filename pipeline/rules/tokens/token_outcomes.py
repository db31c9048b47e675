"""Which orders of tokens changed nothing, and why: as the ledger has it, else as it will be decided (RULES 6)."""

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

    What is not in the ledger yet is judged on top of it, in log order; whether an order stands depends on no evidence.
    """
    orders = [one for one in logged if is_token_order(one)]
    decided = {one.fact.command: one.fact for one in ledger.entries.values() if isinstance(one.fact, Refusal)}
    draft = Draft(ledger, reading.contract, TokenEvidence(TokenReading(reading, {})))
    if orders:
        draft.grant_contract(max(one.received_at for one in orders))
    found = []
    for one in orders:
        before = len(draft.entries)
        draft.order(one, 0)
        drafted = [entry.fact for entry in draft.entries[before:]]
        refusal = decided.get(one.command.id) or next((fact for fact in drafted if isinstance(fact, Refusal)), None)
        if refusal is not None:
            found.append(Refused(refusal.command, refusal.code, refusal.sentence, _possible_at(one, refusal.code)))
    return tuple(found)


def _possible_at(logged: Logged, code: str) -> int | None:
    """When an order that was too early can be made."""
    order = logged.command.order
    if code != "purchased_in_future" or not isinstance(order, BuyTokens):
        return None
    return max(pack.purchased_at for pack in order.packs)
