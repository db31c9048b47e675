"""A purchase in several packs: each is a pack of its own, and the price is shared by size (RULES 6)."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.model.contracts import TokenPack


def packs_of(
    name: str, purchase: str, team: str, sizes: Sequence[int], purchased_at: int, price: int | None
) -> tuple[TokenPack, ...]:
    """The packs of a purchase, the price shared by size to the smallest unit of the currency.

    The shares add up to the price exactly: each is the difference of two rounded running totals. The id of a single
    pack is ``name``, of several ``name/1``, ``name/2`` and so on.
    """
    tokens, packs, before = sum(sizes), list[TokenPack](), 0
    for number, size in enumerate(sizes, 1):
        share = None if price is None else price * (before + size) // tokens - price * before // tokens
        id_ = name if len(sizes) == 1 else f"{name}/{number}"
        packs.append(TokenPack(id_, purchase, team, size, purchased_at, share))
        before += size
    return tuple(packs)
