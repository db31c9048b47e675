"""A licence contract as its owner and the vendor agreed on it (INTERFACES, Contract). Data only; rules read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

DEFAULT_LATENESS_DAYS: Final = 35
"""How late evidence may arrive where a contract does not say.

The same number as the span of a heartbeat (``rules/evidence/span_limit.py``), but another thing: a contract may change
how long evidence is waited for, never how far a heartbeat reaches back.
"""

EntitlementModel = Literal["pooled", "named", "practitioner", "single_user", "flex"]
"""How an entitlement gives seats or tokens (RULES 3, 5 and 6)."""
Unit = Literal["machine", "machine+session"]
"""What a metering policy counts."""


@dataclass(frozen=True, slots=True)
class CustomPolicy:
    """A contract's own metering policy. It ``extends`` another, and changes what is not ``None``, from its start."""

    name: str
    extends: str
    from_at: int
    slot_ms: int | None = None
    opening_slot_counts: bool | None = None
    min_use_ms: int | None = None
    unit: Unit | None = None
    tolerance_days: int | None = None
    term_licenses: bool | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """An old product code counted as its successor in ``[from_at, until_at)``; ``None`` is without bound."""

    code: str
    from_at: int | None = None
    until_at: int | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the contract. ``unit_price`` is that of a term licence in the smallest unit, ``None`` unpriced.

    ``idle_detection`` is ``True``, ``False`` or the first version that has it; ``platforms`` maps a platform to the
    first version allowed on it.
    """

    code: str
    name: str = ""
    replaces: tuple[Replacement, ...] = ()
    plugin_of: str | None = None
    unit_price: int | None = None
    idle_detection: bool | str = True
    platforms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What was bought, in force in ``[from_at, until_at)``; ``None`` is without end.

    ``products`` holds a single code (several only for ``named``), ``country`` where it counts, ``policy`` a policy's
    name. ``quantity`` is seats (0 for ``flex``, and where it states that nothing is had), ``daily_rate`` tokens (only
    for ``flex``). ``line`` is that in the contract's file.
    """

    products: tuple[str, ...]
    country: str
    model: EntitlementModel
    policy: str
    quantity: int
    from_at: int
    until_at: int | None
    daily_rate: int | None = None
    line: int = 0

    def in_force(self, at: int) -> bool:
        """Whether it is in force at an instant."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)

    @property
    def gives_use(self) -> bool:
        """Whether anybody may use something by it: a quantity of 0 keeps its line and policy, and gives no seat."""
        return self.model == "flex" or self.quantity > 0


@dataclass(frozen=True, slots=True)
class TokenPack:
    """A purchase of tokens; ``price`` in the currency's smallest unit, ``None`` where it is not stated."""

    id: str
    purchase: str
    team: str
    tokens: int
    purchased_at: int
    price: int | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A seat given to ``user`` by hand at ``at``, taking over the seat of ``replaces`` where that is set."""

    product: str
    country: str
    user: str
    at: int
    replaces: str | None


@dataclass(frozen=True, slots=True)
class Checkout:
    """A licence taken offline for one user and machine, ``[from_at, until_at)`` or until checked in early."""

    product: str
    country: str
    user: str
    machine: str
    from_at: int
    until_at: int
    checked_in_at: int | None


@dataclass(frozen=True, slots=True)
class Contract:
    """An account's contract. ``content_hash`` is ``sha256:`` and the hex digest of the file's bytes."""

    account: str
    country: str
    currency: str
    content_hash: str
    lateness_days: int = DEFAULT_LATENESS_DAYS
    default_policy: str = "bentley-select"
    policies: Mapping[str, CustomPolicy] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    entitlements: tuple[Entitlement, ...] = ()
    token_packs: tuple[TokenPack, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
