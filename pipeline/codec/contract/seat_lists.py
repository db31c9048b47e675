"""What a contract gives to people and teams: token packs, assigned seats, licences taken offline (RULES 5 and 6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from pipeline.codec.contract.entitlements import MODELS_WITH_SEATS
from pipeline.codec.contract.entries import ContractEntry
from pipeline.codec.contract.products import check_listed
from pipeline.codec.contract.yaml_document import shown
from pipeline.model.contracts import Assignment, Checkout, Entitlement, TokenPack
from pipeline.model.text import fold
from pipeline.rules.tokens.token_orders import DEFAULT_TEAM

_ASSIGNED: Final = frozenset({"practitioner", "single_user"})


@dataclass(frozen=True, slots=True)
class SeatLists:
    """The products and entitlements that seats given to people are checked against. ``models`` by product, country."""

    country: str
    listed: Collection[str]
    models: dict[tuple[str, str], set[str]]
    is_complete: bool

    @classmethod
    def of(
        cls, country: str, listed: Collection[str], entitlements: Iterable[Entitlement], is_complete: bool
    ) -> SeatLists:
        """``is_complete`` says that every entitlement of the file is among these."""
        models: dict[tuple[str, str], set[str]] = {}
        for entitlement in entitlements:
            for product in entitlement.products:
                models.setdefault((product, entitlement.country), set()).add(entitlement.model)
        return cls(country, listed, models, is_complete)

    def has(self, product: str, country: str, wanted: frozenset[str]) -> bool:
        """Whether there is such a seat. True as well where an entitlement could not be read: it might be that."""
        return not self.is_complete or not wanted.isdisjoint(self.models.get((product, country), ()))


def read_token_packs(root: ContractEntry, currency: str | None) -> list[TokenPack]:
    """The token packs. No two have the same id."""
    packs: list[TokenPack] = []
    first: dict[str, ContractEntry] = {}
    for entry in root.entries("token_packs"):
        name, tokens, bought_at = entry.text("id"), entry.whole("tokens"), entry.instant("purchased_at")
        price = entry.money("price", currency)
        if name is not None and name in first:
            reason = f"another pack has the id {shown(name)}, in line {first[name].line}"
            entry.mistake("id", reason, "Give each pack an id of its own, even of one purchase.")
        elif name is not None:
            first[name] = entry
        if name is not None and tokens is not None and bought_at is not None:
            purchase, team = entry.text("purchase") or "", entry.text("team") or DEFAULT_TEAM
            packs.append(TokenPack(name, purchase, team, tokens, bought_at, price))
    return packs


def read_assignments(root: ContractEntry, seats: SeatLists) -> list[Assignment]:
    """The seats given by hand. Whether each was free is decided by ``rules/people``, not here."""
    assignments: list[Assignment] = []
    for entry in root.entries("assignments"):
        product = _entitled_product(entry, seats, _ASSIGNED, "practitioner or single_user seats to assign")
        country, at = _country(entry, seats), entry.instant("at")
        user, replaces = entry.text("user"), entry.text("replaces")
        if user is not None and replaces is not None and fold(user) == fold(replaces):
            reason = f"{shown(user)} takes over a seat from the same user"
            entry.mistake("replaces", reason, "Name the user whose seat is taken over, or remove it.")
        if product is not None and country is not None and user is not None and at is not None:
            assignments.append(
                Assignment(product, country, fold(user), at, None if replaces is None else fold(replaces))
            )
    return assignments


def read_checkouts(root: ContractEntry, seats: SeatLists) -> list[Checkout]:
    """The licences taken offline."""
    checkouts: list[Checkout] = []
    for entry in root.entries("checkouts"):
        product = _entitled_product(entry, seats, MODELS_WITH_SEATS, "seats to take one offline")
        country, user, machine = _country(entry, seats), entry.text("user"), entry.text("machine")
        from_at, until_at = entry.instant("from"), entry.instant("until")
        checked_in_at = entry.instant("checked_in_at")
        if not entry.check_span(from_at, until_at) or from_at is None or until_at is None:
            continue
        if checked_in_at is not None and not from_at <= checked_in_at <= until_at:
            reason = "the licence was given back before it was taken, or after it ran out"
            entry.mistake("checked_in_at", reason, "Correct it to lie between from and until.")
        if product is not None and country is not None and user is not None and machine is not None:
            checkouts.append(Checkout(product, country, fold(user), fold(machine), from_at, until_at, checked_in_at))
    return checkouts


def _entitled_product(entry: ContractEntry, seats: SeatLists, models: frozenset[str], what: str) -> str | None:
    """The product an entry names; it must be listed and have an entitlement of one of ``models`` in its country."""
    product, country = entry.text("product"), _country(entry, seats)
    if product is None or not check_listed(entry, entry.at("product"), product, seats.listed):
        return None
    if country is not None and not seats.has(product, country, models):
        where = f"{product} in {country}" if country else product
        remedy = f"Add an entitlement of the model {' or '.join(sorted(models))}, or correct the product or country."
        entry.mistake("product", f"{where} has no {what}", remedy)
    return product


def _country(entry: ContractEntry, seats: SeatLists) -> str | None:
    """Where it counts: as stated, else the contract's country; ``None`` where what is stated is not usable."""
    return entry.text("country") if entry.has("country") else seats.country
