"""Law of adjustments: frozen statements + adjustments = recomputation, for any history of an account.

The auditor has no statements and no kinds of adjustments: it keeps sets of machines by slot and computes what each
line of each quarter costs today.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.model.contracts import Contract, Entitlement, Product
from pipeline.model.instants import DAY_MS, MINUTE_MS, Period
from pipeline.model.statements import Statement
from pipeline.rules.statement.adjustments import LineId, amounts
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.histories import History
from tests.support.laws import examples

pytestmark = pytest.mark.slow

QUARTERS = tuple(Period.parse(name) for name in ("2022Q1", "2022Q2", "2022Q3", "2022Q4"))
LAST = Period.parse("2023Q1")
MACHINES = tuple(f"pc{number}" for number in range(5))
PRICES = {"A": 100, "B": 7}
Use = tuple[int, str, str]
"""A slot's start, a product and a machine."""

uses = st.tuples(
    st.sampled_from(QUARTERS), st.integers(0, 1), st.integers(0, 1), st.sampled_from("AB"), st.sampled_from(MACHINES)
)


def contract(seats: int, late_seats: int, price: int) -> Contract:
    """A contract with seats of A and B, another quantity of A from July on, and a price of A."""
    july = instant("2022-07-01 00:00")
    return Contract(
        "acme", "CZ", "EUR", f"sha256:{seats}/{late_seats}/{price}",
        products={"A": Product("A", unit_price=price), "B": Product("B", unit_price=PRICES["B"])},
        entitlements=(
            Entitlement(("A",), "CZ", "pooled", "bentley-select", seats, 0, july),
            Entitlement(("A",), "CZ", "pooled", "bentley-select", late_seats, july, None),
            Entitlement(("B",), "CZ", "pooled", "bentley-select", 1, 0, None),
        ),
    )  # fmt: skip


class Auditor:
    """What each line of each quarter costs today, from sets."""

    def __init__(self) -> None:
        self.uses: set[Use] = set()
        self.voided: dict[str, str] = {}
        self.granted: Counter[tuple[str, LineId]] = Counter()
        self.seats, self.late_seats, self.price = 1, 1, PRICES["A"]
        self.closed_at: dict[str, int] = {}

    def due(self, period: Period, product: str) -> int:
        by_slot = Counter(
            slot_at
            for slot_at, used, machine in self.uses
            if used == product and period.contains(slot_at) and machine not in self.voided.values()
        )
        seats = 1 if product == "B" else self.late_seats if period.name >= "2022Q3" else self.seats
        over = max([0, *(count - seats for count in by_slot.values())])
        price = self.closed_at.get(period.name, self.price)
        cost = over * (price if product == "A" else PRICES["B"])
        return cost - self.granted[period.name, LineId(product, "CZ", "pooled")]


class Lives(RuleBasedStateMachine):
    """Evidence, voids, contracts, grants and closes in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.history, self.auditor = History(contract(1, 1, PRICES["A"])), Auditor()
        self.frozen: dict[str, Statement] = {}
        self.steps = 0

    @rule(used=st.lists(uses, min_size=1, max_size=4))
    def use(self, used: list[tuple[Period, int, int, str, str]]) -> None:
        self.steps += 1
        for number, (period, day, slot, product, machine) in enumerate(used):
            slot_at = period.start_at + (day + 1) * DAY_MS + slot * 60 * MINUTE_MS + 10 * MINUTE_MS
            opened_at = slot_at - 9 * MINUTE_MS
            beat = heartbeat(
                opened_at, slot_at + 9 * MINUTE_MS, machine=machine, product=product, session=f"{self.steps}-{number}"
            )
            self.history.use([beat])
            self.auditor.uses.add((slot_at, product, machine))

    @rule(machine=st.sampled_from(MACHINES))
    def void(self, machine: str) -> None:
        self.steps += 1
        self.history.void(f"void {self.steps}", machine)
        self.auditor.voided[f"void {self.steps}"] = machine

    @rule(data=st.data())
    def unvoid(self, data: st.DataObject) -> None:
        if self.auditor.voided:
            name = data.draw(st.sampled_from(sorted(self.auditor.voided)))
            self.history.unvoid(name)
            del self.auditor.voided[name]

    @rule(seats=st.integers(0, 3), late_seats=st.integers(0, 3), price=st.sampled_from((100, 100, 90)))
    def change_the_contract(self, seats: int, late_seats: int, price: int) -> None:
        self.history.change(contract(seats, late_seats, price))
        self.auditor.seats, self.auditor.late_seats, self.auditor.price = seats, late_seats, price

    @rule(period=st.sampled_from(QUARTERS), product=st.sampled_from("AB"), amount=st.integers(1, 50))
    def grant(self, period: Period, product: str, amount: int) -> None:
        line = LineId(product, "CZ", "pooled")
        self.history.grant(period.name, line, amount)
        self.auditor.granted[period.name, line] += amount

    @rule(period=st.sampled_from(QUARTERS))
    def close(self, period: Period) -> None:
        before = self.history.statement(period)
        closed = self.history.close(period)
        if period.name in self.frozen:
            assert closed == self.frozen[period.name]
        else:
            assert (closed.lines, closed.adjustments) == (before.lines, before.adjustments)
            self.frozen[period.name] = closed
            self.auditor.closed_at[period.name] = self.auditor.price

    @invariant()
    def frozen_statements_never_change(self) -> None:
        for name, statement in self.frozen.items():
            assert self.history.statement(Period.parse(name)) == statement

    @invariant()
    def billed_amounts_equal_the_current_costs(self) -> None:
        statements = [self.history.statement(period) for period in (*QUARTERS, LAST)]
        billed = all_billed(statements)
        for period in QUARTERS:
            closed = period.name in self.frozen
            for product in PRICES:
                line = LineId(product, "CZ", "pooled")
                note(f"{period.name} {product}")
                uncredited = 0 if closed else self.auditor.granted[period.name, line]
                assert billed[period.name, line] == self.auditor.due(period, product) + uncredited

    @invariant()
    def adjustments_chain(self) -> None:
        for statement in (self.history.statement(period) for period in (*QUARTERS, LAST)):
            last: dict[tuple[str, str], int] = {}
            for adjustment in statement.adjustments:
                assert adjustment.amount != 0
                assert adjustment.period in self.frozen
                assert last.get((adjustment.period, adjustment.product), adjustment.before) == adjustment.before
                last[adjustment.period, adjustment.product] = adjustment.after


def all_billed(statements: Iterable[Statement]) -> Counter[tuple[str, LineId]]:
    """The sum that all statements together bill for each line of each quarter."""
    billed: Counter[tuple[str, LineId]] = Counter()
    for statement in statements:
        for line, amount in amounts(statement.lines).items():
            billed[statement.period.name, line] += amount
        for adjustment in statement.adjustments:
            billed[adjustment.period, LineId(adjustment.product, adjustment.country, adjustment.model)] += (
                adjustment.amount
            )
    return billed


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=examples(25), stateful_step_count=15, deadline=None)
