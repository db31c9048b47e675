"""A contract's entitlements: each by itself, then those in force together (RULES 2 to 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, cast

from pipeline.codec.contract.entries import ContractEntry
from pipeline.codec.contract.overlaps import Claim, contradictions
from pipeline.codec.contract.policies import DEFAULT_TOKEN_POLICY, Policies, unknown_policy
from pipeline.codec.contract.products import Products, check_listed
from pipeline.codec.contract.yaml_document import ContractPath
from pipeline.model.contracts import Entitlement, EntitlementModel
from pipeline.model.instants import iso_date

MODELS_WITH_SEATS: Final = frozenset({"pooled", "named", "practitioner", "single_user"})
"""The models that have seats; flex has a daily rate instead."""

ReadEntitlement = tuple[ContractEntry, Entitlement]
"""An entry of the contract, and the entitlement it was read as."""
PoolKey = tuple[str, str]
"""A product and a country, which is what seats are counted for."""


def read_entitlements(
    root: ContractEntry, country: str | None, default_policy: str | None, policies: Policies, products: Products
) -> list[ReadEntitlement]:
    """The entitlements whose products, model, policy and time are usable, and every mistake in all of them."""
    entitlements: list[ReadEntitlement] = []
    for entry in root.entries("entitlements"):
        entitlement = _entitlement(entry, country, default_policy, policies, products)
        if entitlement is not None:
            entitlements.append((entry, entitlement))
    _check_policies_together(entitlements)
    _check_flex_alone(entitlements)
    _check_daily_rates(entitlements)
    return entitlements


def _entitlement(
    entry: ContractEntry, country: str | None, default_policy: str | None, policies: Policies, products: Products
) -> Entitlement | None:
    model = cast("EntitlementModel | None", entry.text("model"))
    codes = _product_codes(entry, products)
    from_at, until_at = entry.instant("from"), entry.instant("until")
    has_span = entry.check_span(from_at, until_at)
    policy = entry.text("policy")
    if policy is None and not entry.has("policy") and model is not None:
        policy = DEFAULT_TOKEN_POLICY if model == "flex" else default_policy
    if policy is not None:
        _check_policy(entry, model, policy, from_at, policies)
    if not codes or model is None or policy is None or from_at is None or not has_span:
        return None
    if not entry.is_sound("country"):
        return None
    return Entitlement(
        products=codes,
        country=entry.text("country") or country or "",
        model=model,
        policy=policy,
        quantity=0 if model == "flex" else entry.whole("quantity") or 0,
        from_at=from_at,
        until_at=until_at,
        daily_rate=entry.whole("daily_rate") if model == "flex" else None,
        line=entry.line,
    )


def _product_codes(entry: ContractEntry, products: Products) -> tuple[str, ...]:
    """The listed products an entitlement names, in order."""
    places: list[tuple[ContractPath, str]] = []
    single, several = entry.text("product"), entry.value("products")
    if single is not None:
        places.append((entry.at("product"), single))
    for index, code in enumerate(several if isinstance(several, list) else ()):
        place = (*entry.at("products"), index)
        if isinstance(code, str) and entry.notes.is_usable(place):
            places.append((place, code))
    return tuple(code for place, code in places if check_listed(entry, place, code, products.by_code))


def _check_policy(
    entry: ContractEntry, model: EntitlementModel | None, name: str, from_at: int | None, policies: Policies
) -> None:
    """A policy must exist, fit the model, and be defined from the entitlement's first day on (RULES 2)."""
    if name not in policies.names:
        if entry.has("policy"):
            unknown_policy(entry, "policy", name, policies)
        return
    is_token = name in policies.token_starts
    if model == "flex" and not is_token:
        reason = f"{name} counts seats, but the model flex charges tokens"
        entry.mistake("policy", reason, f"Name {DEFAULT_TOKEN_POLICY}, or choose another model.")
    elif model is not None and model not in {"flex", "single_user"} and is_token:
        reason = f"{name} charges tokens, but the model {model} has seats"
        entry.mistake("policy", reason, "Name a metering policy, or choose the model flex.")
    starts_at = policies.starts_at(name)
    if from_at is not None and starts_at is not None and from_at < starts_at:
        reason = f"begins on {iso_date(from_at)}, but {name} is defined from {iso_date(starts_at)} on"
        remedy = f"Begin on {iso_date(starts_at)} or later, or name the policy that applied before."
        entry.mistake("from", reason, remedy)


def _pools(read: ReadEntitlement) -> Iterator[PoolKey]:
    for product in dict.fromkeys(read[1].products):
        yield product, read[1].country


def _claim(read: ReadEntitlement, pool: PoolKey, claimed: str | int, order: int) -> Claim[PoolKey, str | int]:
    entry, entitlement = read
    return Claim(pool, claimed, entitlement.from_at, entitlement.until_at, entry, order)


def _check_policies_together(entitlements: Iterable[ReadEntitlement]) -> None:
    """All seats of one product and country that are in force together name the same policy (RULES 2)."""
    claims = [
        _claim(read, pool, read[1].policy, order)
        for order, read in enumerate(entitlements)
        if read[1].model in MODELS_WITH_SEATS
        for pool in _pools(read)
    ]
    for later, other in contradictions(claims):
        reason = f"two policies for {_named(later.subject)} at once: {_both(later, other)}"
        remedy = "Name the same policy in both, or end one before the other begins."
        later.entry.mistake("policy", reason, remedy)


def _check_flex_alone(entitlements: Iterable[ReadEntitlement]) -> None:
    """While flex is in force there is no pool: only single-user seats stand beside it (RULES 6)."""
    claims = [
        _claim(read, pool, "flex" if read[1].model == "flex" else "seats", order)
        for order, read in enumerate(entitlements)
        if read[1].model != "single_user"
        for pool in _pools(read)
    ]
    for later, other in contradictions(claims):
        reason = f"flex and other seats for {_named(later.subject)} at once: {_both(later, other)}"
        remedy = "Flex leaves no use to other seats than single_user: end one before the other begins."
        later.entry.mistake("model", reason, remedy)


def _check_daily_rates(entitlements: Iterable[ReadEntitlement]) -> None:
    claims = [
        _claim(read, pool, read[1].daily_rate, order)
        for order, read in enumerate(entitlements)
        if read[1].daily_rate is not None
        for pool in _pools(read)
    ]
    for later, other in contradictions(claims):
        reason = f"two daily rates for {_named(later.subject)} at once: {_both(later, other)}"
        later.entry.mistake("daily_rate", reason, "End one with until on the day the other begins.")


def _both(later: Claim[PoolKey, str | int], other: Claim[PoolKey, str | int]) -> str:
    return f"{later.claimed} here, {other.claimed} in line {other.entry.line}"


def _named(pool: PoolKey) -> str:
    product, country = pool
    return f"{product} in {country}" if country else product
