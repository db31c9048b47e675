"""Replaced product codes: use of an old code counts for its successor while the replacement is in force (RULES 1)."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.model.contracts import Contract
from pipeline.model.instants import Period


class ReplacedCodes:
    """The replacements that a contract lists, to be asked by reported code and instant."""

    def __init__(self, contract: Contract) -> None:
        self._successors: dict[str, list[tuple[int | None, int | None, str]]] = {}
        for product in contract.products.values():
            for old in product.replaces:
                self._successors.setdefault(old.code, []).append((old.from_at, old.until_at, product.code))

    def product_at(self, code: str, at: int) -> str:
        """The product that use of a code counts for at an instant: successors are followed to the last."""
        for _ in range(len(self._successors) + 1):
            successor = self._successor_at(code, at)
            if successor is None:
                return code
            code = successor
        raise AssertionError(f"replacements of {code} go round in a circle; the contract's check refuses that")

    def codes_of(self, product: str) -> tuple[str, ...]:
        """Every code whose use can count for a product at some time: its own and those it replaces."""
        codes, unvisited = [product], [product]
        while unvisited:
            code = unvisited.pop(0)
            replaced = [old for old, after in self._successors.items() if code in {name for *_, name in after}]
            added = [old for old in replaced if old not in codes]
            codes += added
            unvisited += added
        return tuple(codes)

    def changes_in(self, period: Period) -> Iterator[int]:
        """The instants at which a replacement begins or ends; where it has no beginning or end, those of the period."""
        for successors in self._successors.values():
            for from_at, until_at, _ in successors:
                yield from_at or period.start_at
                yield until_at or period.end_at

    def _successor_at(self, code: str, at: int) -> str | None:
        for from_at, until_at, product in self._successors.get(code, ()):
            if (from_at is None or from_at <= at) and (until_at is None or at < until_at):
                return product
        return None
