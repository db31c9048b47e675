"""Reading facts under a contract: replaced codes, plug-ins, default country, and the policy that judges a slot.

Facts are stored as reported. A contract is applied when facts are read: after a change of the contract they are read
again, never rewritten (RULES 1). Every boundary here is a UTC midnight, so no slot lies on both sides of one.
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
from pipeline.rules.pool.replaced_codes import ReplacedCodes


@dataclass(frozen=True, slots=True)
class Judgement:
    """Use reported as ``(code, reported_country)`` in ``[from_at, until_at)`` counts for a pool, under ``policy``."""

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
        self._replaced = ReplacedCodes(contract)

    def product_at(self, code: str, at: int) -> str:
        """The product that use of a code counts for at an instant."""
        return self._replaced.product_at(code, at)

    def codes_of(self, product: str) -> tuple[str, ...]:
        """Every code whose use can count for a product at some time: its own and those it replaces."""
        return self._replaced.codes_of(product)

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
        """The policy that judges use: that of the entitlements in force, else the contract's default.

        Raises ``BeforeFirstRow``.
        """
        name = next(
            (e.policy for e in self.entitlements_at(product, country, at) if self._is_metering(e.policy)),
            self.contract.default_policy,
        )
        return self._timeline(name).at(at)

    def policy_id_at(self, product: str, country: str, model: EntitlementModel, at: int) -> str:
        """The policy as a line names it: the token policy of the model's own entitlement, else the metering policy.

        Raises ``BeforeFirstRow``.
        """
        of_model = (e.policy for e in self.entitlements_at(product, country, at) if e.model == model)
        token_policy = next((name for name in of_model if not self._is_metering(name)), None)
        if token_policy is None:
            return self.policy_at(product, country, at).id
        return f"{token_policy}@{calendar_day(day_of(token_policy_starts()[token_policy])).isoformat()}"

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
        """How use of a code is judged over a period: stretches of time in order, without overlap.

        Time in which use needs no seat is left out: that of a plug-in without an entitlement, and that in which tokens
        are charged. Raises ``BeforeFirstRow`` where a policy says nothing of some day in the period.
        """
        country, judgements = self.country_of(reported_country), list[Judgement]()
        for from_at, until_at in self._unchanged_stretches(period):
            product = self.product_at(code, from_at)
            if not self.needs_licence(product, country, from_at) or self.is_charged(product, country, from_at):
                continue
            policy = self.policy_at(product, country, from_at)
            last = judgements[-1] if judgements else None
            if last is not None and (last.until_at, last.product, last.policy) == (from_at, product, policy):
                judgements[-1] = replace(last, until_at=until_at)
            else:
                judgements.append(Judgement(code, reported_country, product, country, from_at, until_at, policy))
        return tuple(judgements)

    def judgements_of(
        self, reported: Iterable[tuple[str, str]], period: Period
    ) -> dict[tuple[str, str], tuple[Judgement, ...]]:
        """The judgements of every reported ``(code, country)``."""
        return {(code, country): self.judgements(code, country, period) for code, country in reported}

    def _unchanged_stretches(self, period: Period) -> Iterator[tuple[int, int]]:
        """The stretches of a period in which nothing changes in the contract or in a policy that it names."""
        changes = {period.start_at, period.end_at, *self._replaced.changes_in(period)}
        for entitlement in self.contract.entitlements:
            changes |= {entitlement.from_at, entitlement.until_at or period.end_at}
        for name in {self.contract.default_policy, *(e.policy for e in self.contract.entitlements)}:
            if self._is_metering(name):
                changes |= {at for at, _ in self._timeline(name).rows}
        return pairwise(sorted(at for at in changes if period.start_at <= at <= period.end_at))

    def _is_metering(self, policy: str) -> bool:
        return policy in self.contract.policies or policy in self._catalogue

    def _timeline(self, name: str) -> MeteringTimeline:
        if name not in self._timelines:
            self._timelines[name] = resolve(name, self._catalogue, self.contract.policies)
        return self._timelines[name]
