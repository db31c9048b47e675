"""Random contracts with seats of every model around an instant, and random orders about them, valid or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from pipeline.model.contracts import Contract, Entitlement, EntitlementModel
from pipeline.model.instants import DAY_MS, MINUTE_MS
from pipeline.model.orders import Assign, AssignableModel, CheckIn, CheckOut, Command, Logged, Order, Release
from tests.support.evidence.random_fleets import contracts

USERS: Final = ("eva", "petr")
_MODELS: Final[tuple[EntitlementModel, ...]] = ("named", "named", "practitioner", "single_user")


@st.composite
def people_contracts(draw: st.DrawFn, turn_at: int) -> Contract:
    """A pooled contract with seats of people beside its pools; entitlements begin and end around an instant.

    Seats name the policy that applies to their product and country anyway, as a valid contract requires.
    """
    contract = draw(contracts(turn_at))
    starts_at = min([entitlement.from_at for entitlement in contract.entitlements], default=turn_at - 300 * DAY_MS)
    days = st.sampled_from([turn_at + day * DAY_MS for day in (-1, 0, 1)])
    seats = list[Entitlement]()
    for _ in range(draw(st.integers(1, 5))):
        model, product = draw(st.sampled_from(_MODELS)), draw(st.sampled_from(("A", "A", "B")))
        products = draw(st.sampled_from(((product,), ("A", "B")))) if model == "named" else (product,)
        from_at = draw(st.sampled_from((starts_at, starts_at, draw(days))))
        until_at = draw(st.none() | days)
        if until_at is not None and until_at <= from_at:
            until_at = None
        country = draw(st.sampled_from(("CZ", "CZ", "SK")))
        policy = contract.default_policy
        seats.append(Entitlement(products, country, model, policy, draw(st.integers(0, 2)), from_at, until_at))
    # Seats of people come last, so that the policy of a pool, if there is any, applies.
    return replace(contract, entitlements=(*contract.entitlements, *seats))


@st.composite
def orders(draw: st.DrawFn, turn_at: int) -> Order:
    """An order about seats or checkouts around an instant."""
    at = turn_at + draw(st.integers(-3_000, 2_000)) * MINUTE_MS
    product, user = draw(st.sampled_from(("A", "A", "A", "B", "X"))), draw(st.sampled_from((*USERS, "zoe")))
    country = draw(st.sampled_from(("", "", "SK")))
    model: AssignableModel | None = draw(st.sampled_from((None, "practitioner", "single_user")))
    kind = draw(st.sampled_from(("assign", "assign", "assign", "release", "checkout", "checkin")))
    if kind == "assign":
        early_at = draw(st.sampled_from((at, at - 40 * DAY_MS)))
        return Assign(product, country, user, early_at, draw(st.sampled_from((None, None, "eva", "petr"))), model)
    if kind == "release":
        return Release(product, country, user, at, model)
    if kind == "checkout":
        machine = draw(st.sampled_from(("pc1", "pc2", "pc3", "pc4")))
        return CheckOut(product, country, user, machine, at, at + draw(st.integers(0, 1_500)) * MINUTE_MS)
    return CheckIn(f"c{draw(st.integers(0, 8))}", at)


@st.composite
def logs(draw: st.DrawFn, turn_at: int, account: str = "acme") -> tuple[Logged, ...]:
    """Commands of an account in log order with distinct ids."""
    placed = draw(st.lists(orders(turn_at), max_size=9))
    return tuple(Logged(Command(f"c{n}", account, "tests", 0, order), n) for n, order in enumerate(placed))
