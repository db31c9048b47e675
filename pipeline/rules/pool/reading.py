"""Reading facts under a contract: replaced codes, plug-ins, default country, and the policy that judges a slot.

Facts are stored as reported. A contract is applied when they are read, so a changed contract re-reads and never
re-writes (RULES 1). Every boundary here is a UTC midnight, so that no slot straddles one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.model.contracts import Contract, Entitlement, EntitlementModel
from pipeline.model.instants import Period, calendar_day, day_of
from pipeline.policy.catalogue import token_policy_starts
from pipeline.policy.metering_policies import MeteringPolicy, MeteringTimeline, resolve
from pipeline.rules.pool.entitled import seats_at


@dataclass(frozen=True, slots=True)
class Judgement:
    """Use reported as ``(code, reported_country)`` in ``[from_at, until_at)`` is use of a pool, by ``policy``."""

    code: str
    reported_country: str
    product: str
    country: str
    from_at: int
    until_at: int
    policy: MeteringPolicy


class ContractReading:
    """A contract with the policies it names, ready to be asked about codes, countries and instants."""

    def __init__(self, contract: Contract, catalogue: Mapping[str, MeteringTimeline]) -> None:
        self.contract = contract
        self._catalogue = catalogue
        self._timelines: dict[str, MeteringTimeline] = {}
        self._successors: dict[str, list[tuple[int | None, int | None, str]]] = {}
        for product in contract.products.values():
            for old in product.replaces:
                self._successors.setdefault(old.code, []).append((old.from_at, old.until_at, product.code))

    def product_at(self, code: str, at: int) -> str:
        """The product that use of a code counts for at an instant: successors are followed to the last."""
        for _ in range(len(self._successors) + 1):
            successor = next(
                (
                    product
                    for from_at, until_at, product in self._successors.get(code, ())
                    if (from_at is None or from_at <= at) and (until_at is None or at < until_at)
                ),
                None,
            )
            if successor is None:
                return code
            code = successor
        raise AssertionError(f"replacements of {code} go round in a circle; the contract's check refuses that")

    def codes_of(self, product: str) -> tuple[str, ...]:
        """Every code whose use can count for a product at some time: its own and those it replaces."""
        codes = [product]
        for code in codes:
            codes += [
                old for old, after in self._successors.items() if old not in codes and code in {p for *_, p in after}
            ]
        return tuple(codes)

    def country_of(self, reported: str) -> str:
        """Where use counts: as reported, else in the contract's country."""
        return reported or self.contract.country

    def entitlements_at(self, product: str, country: str, at: int) -> Iterator[Entitlement]:
        """The entitlements in force, of all models."""
        for entitlement in self.contract.entitlements:
            if product in entitlement.products and entitlement.country == country and entitlement.in_force(at):
                yield entitlement

    def entitled_at(self, product: str, country: str, at: int) -> int:
        """Pooled seats in force at an instant (RULES 4)."""
        return seats_at(self.contract, product, country, "pooled", at)

    def policy_at(self, product: str, country: str, at: int) -> MeteringPolicy:
        """The policy that judges use: the one the entitlements in force name, else the contract's default.

        Raises ``BeforeFirstRow``.
        """
        name = next(
            (e.policy for e in self.entitlements_at(product, country, at) if self._is_metering(e.policy)),
            self.contract.default_policy,
        )
        return self._timeline(name).at(at)

    def policy_id_at(self, product: str, country: str, model: EntitlementModel, at: int) -> str:
        """The policy as a line names it: a token policy where the model's own entitlement names one.

        Raises ``BeforeFirstRow``.
        """
        own = (e.policy for e in self.entitlements_at(product, country, at) if e.model == model)
        token = next((name for name in own if not self._is_metering(name)), None)
        if token is None:
            return self.policy_at(product, country, at).id
        return f"{token}@{calendar_day(day_of(token_policy_starts()[token])).isoformat()}"

    def is_charged(self, product: str, country: str, at: int) -> bool:
        """Whether flex is in force: use beyond single-user seats is charged in tokens and no pool counts (RULES 6)."""
        return any(e.model == "flex" for e in self.entitlements_at(product, country, at))

    def needs_licence(self, product: str, country: str, at: int) -> bool:
        """False for a plug-in without an entitlement of its own: it costs nothing and counts nowhere (RULES 6)."""
        listed = self.contract.products.get(product)
        if listed is None or listed.plugin_of is None:
            return True
        return any(True for _ in self.entitlements_at(product, country, at))

    def judgements(self, code: str, reported_country: str, period: Period) -> tuple[Judgement, ...]:
        """How use of a code is judged over a period: stretches of time without overlap, those left out that no seats
        are for: a plug-in's without an entitlement, and those in which tokens are charged.

        Raises ``BeforeFirstRow`` where a policy says nothing of some day in the period.
        """
        country, found = self.country_of(reported_country), list[Judgement]()
        for from_at, until_at in self._elementary(period.start_at, period.end_at):
            product = self.product_at(code, from_at)
            if not self.needs_licence(product, country, from_at) or self.is_charged(product, country, from_at):
                continue
            policy = self.policy_at(product, country, from_at)
            last = found[-1] if found else None
            if last is not None and (last.until_at, last.product, last.policy) == (from_at, product, policy):
                found[-1] = replace(last, until_at=until_at)
            else:
                found.append(Judgement(code, reported_country, product, country, from_at, until_at, policy))
        return tuple(found)

    def judgements_of(
        self, reported: Iterable[tuple[str, str]], period: Period
    ) -> dict[tuple[str, str], tuple[Judgement, ...]]:
        """The judgements of every reported ``(code, country)``."""
        return {(code, country): self.judgements(code, country, period) for code, country in reported}

    def _elementary(self, start_at: int, end_at: int) -> Iterator[tuple[int, int]]:
        """The stretches of ``[start_at, end_at)`` in which nothing in the contract or a policy changes."""
        changes = {start_at, end_at}
        for entitlement in self.contract.entitlements:
            changes |= {entitlement.from_at, entitlement.until_at or end_at}
        for successors in self._successors.values():
            for from_at, until_at, _ in successors:
                changes |= {from_at or start_at, until_at or end_at}
        for name in {self.contract.default_policy, *(e.policy for e in self.contract.entitlements)}:
            if self._is_metering(name):
                changes |= {at for at, _ in self._timeline(name).rows}
        bounds = sorted(at for at in changes if start_at <= at <= end_at)
        return pairwise(bounds)

    def _is_metering(self, policy: str) -> bool:
        return policy in self.contract.policies or policy in self._catalogue

    def _timeline(self, name: str) -> MeteringTimeline:
        if name not in self._timelines:
            self._timelines[name] = resolve(name, self._catalogue, self.contract.policies)
        return self._timelines[name]
