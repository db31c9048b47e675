"""A purchase of tokens: its packs, with the price shared among them, are granted by one order (RULES 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.application.account_view import AccountView
from pipeline.application.orders.place_order import Issue, place_order
from pipeline.application.orders.poster import Poster
from pipeline.model.orders import BuyTokens
from pipeline.rules.orders.outcomes import Outcome
from pipeline.rules.tokens.purchases import packs_of


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought for a team: packs of these sizes, for ``price`` in the smallest unit of the currency together.

    ``number`` is the vendor's, ``''`` where there is none; ``name`` is what the packs are called by.
    """

    name: str
    number: str
    team: str
    sizes: Sequence[int]
    purchased_at: int
    price: int | None = None


def buy_tokens(view: AccountView, purchase: Purchase, issue: Issue, poster: Poster) -> Outcome:
    """Order a purchase; in a folder it is in the ledger when this returns. Raises as ``place_order`` does."""
    packs = packs_of(
        purchase.name, purchase.number, purchase.team, purchase.sizes, purchase.purchased_at, purchase.price
    )
    return place_order(view, BuyTokens(packs), issue, poster)
