"""What use of a product costs in tokens, and when: a contract read for its flex entitlements (RULES 1 and 6).

Use of a replaced code counts for its successor while the replacement is in force. So the product that is charged
depends on the time of use. Codes that count for one another at some time are a family.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from pipeline.model.contracts import Entitlement
from pipeline.model.instants import BASE_SLOT_MS, EARLIEST_AT, LATEST_AT
from pipeline.policy.token_policies import TokenPolicy, TokenTimeline
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.people.coverage import Coverage
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.spans import Span
from pipeline.rules.tokens.versions import is_at_least


@dataclass(frozen=True, slots=True)
class Terms:
    """What a window that starts at an instant costs, and the policy that says how long it is."""

    rate: int
    policy: TokenPolicy


class TokenReading:
    """A contract ready to be asked what is charged in tokens. ``covered``: whose use a seat of their own covers.

    A base slot that overlaps the time of a single-user seat is covered whole, as in the waterfall.
    """

    def __init__(
        self, reading: ContractReading, catalogue: Mapping[str, TokenTimeline], covered: Iterable[Coverage] = ()
    ) -> None:
        self.contract, self._reading, self._catalogue = reading.contract, reading, catalogue
        self._seats: dict[tuple[str, str, str], list[Span]] = {}
        for stretch in covered:
            if stretch.step == "single_user":
                from_at = stretch.from_at // BASE_SLOT_MS * BASE_SLOT_MS
                until_at = -(-stretch.until_at // BASE_SLOT_MS) * BASE_SLOT_MS
                seats = self._seats.setdefault((stretch.product, stretch.country, stretch.user), [])
                seats.append(Span(from_at, until_at))
        self._flex: dict[tuple[str, str], list[Entitlement]] = {}
        for entitlement in sorted(self.contract.entitlements, key=lambda entitlement: entitlement.from_at):
            if entitlement.model == "flex":
                self._flex.setdefault((entitlement.products[0], entitlement.country), []).append(entitlement)
        self._families = self._find_families()
        self._charged: dict[tuple[str, str], dict[str, tuple[Span, ...]]] = {}

    @property
    def pools(self) -> tuple[tuple[str, str], ...]:
        """Every (product, country) that is charged in tokens at some time, sorted."""
        return tuple(sorted(self._flex))

    def country_of(self, reported: str) -> str:
        """Where use counts: as reported, else in the contract's country."""
        return self._reading.country_of(reported)

    def product_at(self, code: str, at: int) -> str:
        """The product that use of a code counts for at an instant."""
        return self._reading.product_at(code, at)

    def family(self, code: str) -> str:
        """A name for the family of a code: all codes that count for one another at some time."""
        return self._families.get(code, code)

    def charged(self, code: str, country: str) -> Mapping[str, tuple[Span, ...]]:
        """By product the spans in which use reported as ``code`` is charged to it: a flex entitlement is in force."""
        key = (code, country)
        if key not in self._charged:
            self._charged[key] = self._find_charged(code, country)
        return self._charged[key]

    def terms_at(self, product: str, country: str, at: int) -> Terms | None:
        """Rate and policy in force at an instant, ``None`` while the product is not charged in tokens."""
        for entitlement in self._flex.get((product, country), ()):
            if entitlement.in_force(at) and entitlement.daily_rate is not None:
                return Terms(entitlement.daily_rate, self._catalogue[entitlement.policy].at(at))
        return None

    def policy_of(self, product: str, country: str, at: int) -> TokenPolicy:
        """The policy that judges activity which begins at an instant; where none is in force yet, the next policy."""
        entitlements = self._flex[product, country]
        not_ended = (item for item in entitlements if item.until_at is None or at < item.until_at)
        timeline = self._catalogue[next(not_ended, entitlements[-1]).policy]
        return timeline.at(max(at, timeline.first_at))

    def seats_of(self, product: str, country: str, user: str) -> tuple[Span, ...]:
        """The spans in which a single-user seat covers a user's use, in whole base slots."""
        return tuple(self._seats.get((product, country, user), ()))

    def is_free_plug_in(self, product: str, country: str) -> bool:
        """A plug-in without a rate at any time costs nothing."""
        listed = self.contract.products.get(product)
        return listed is not None and listed.plugin_of is not None and (product, country) not in self._flex

    def has_idle_detection(self, session: Session) -> bool:
        """Whether a session's product and version detect idleness; a session without a version has the default: yes."""
        product = self.contract.products.get(self.product_at(session.key.product, session.opened_at))
        detects = True if product is None else product.idle_detection
        if isinstance(detects, bool):
            return detects
        return not session.version or is_at_least(session.version, detects)

    def _find_families(self) -> dict[str, str]:
        families: dict[str, str] = {}
        for product in self.contract.products.values():
            members = {product.code, *(old.code for old in product.replaces)}
            names = {families.get(code, code) for code in members}
            name = min(names)
            families |= dict.fromkeys(members, name)
            families |= {code: name for code, family in families.items() if family in names}
        return families

    def _find_charged(self, code: str, country: str) -> dict[str, tuple[Span, ...]]:
        changes = {EARLIEST_AT, LATEST_AT}
        for product in self.contract.products.values():
            for old in product.replaces:
                changes |= {old.from_at or EARLIEST_AT, old.until_at or LATEST_AT}
        for entitlements in self._flex.values():
            for entitlement in entitlements:
                changes |= {entitlement.from_at, entitlement.until_at or LATEST_AT}
        charged: dict[str, list[Span]] = {}
        for from_at, until_at in pairwise(sorted(at for at in changes if EARLIEST_AT <= at <= LATEST_AT)):
            product_code = self.product_at(code, from_at)
            entitlements = self._flex.get((product_code, country), [])
            if not any(entitlement.in_force(from_at) for entitlement in entitlements):
                continue
            spans = charged.setdefault(product_code, [])
            if spans and spans[-1].until_at == from_at:
                spans[-1] = Span(spans[-1].from_at, until_at)
            else:
                spans.append(Span(from_at, until_at))
        return {product_code: tuple(spans) for product_code, spans in charged.items()}
