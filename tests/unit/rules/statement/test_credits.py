"""Amounts granted by disputes, by line."""

from __future__ import annotations

from pipeline.model.orders import Command, DisputeState, Logged, MoveDispute, OpenDispute, Order
from pipeline.rules.statement.adjustments import LineId
from pipeline.rules.statement.credits import granted

STATES: tuple[DisputeState, ...] = ("submitted", "answered", "granted")


def log(*disputes: tuple[str, str], until: DisputeState = "granted") -> list[Logged]:
    """Disputes of products and quarters, each moved to a state; 500 are granted in each."""
    orders: list[tuple[str, Order]] = []
    for number, (product, period) in enumerate(disputes):
        orders.append((f"d{number}", OpenDispute(period, product, "CZ", "pooled", "over_pool", None)))
        for state in STATES[: STATES.index(until) + 1]:
            amount = 500 if state == "granted" else None
            orders.append((f"d{number} {state}", MoveDispute(f"d{number}", state, granted=amount)))
    return [Logged(Command(id_, "acme", "eva", 0, order), 0) for id_, order in orders]


def test_only_granted_disputes_count() -> None:
    assert granted(log(("MSTN", "2022Q2"), until="answered")) == {}
    assert granted(log(("MSTN", "2022Q2"))) == {"2022Q2": {LineId("MSTN", "CZ", "pooled"): 500}}


def test_disputes_add_up_by_line_and_quarter() -> None:
    amounts = granted(log(("MSTN", "2022Q2"), ("MSTN", "2022Q2"), ("ORD", "2022Q2"), ("MSTN", "2022Q3")))
    mstn, ord_ = LineId("MSTN", "CZ", "pooled"), LineId("ORD", "CZ", "pooled")
    assert amounts == {"2022Q2": {mstn: 1_000, ord_: 500}, "2022Q3": {mstn: 500}}
