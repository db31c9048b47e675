"""The history of an account, step by step: evidence, voids, contracts, grants and closes in any order.

In memory, with the rules alone. Voids are of machines. ``statement`` is the statement at that step; a close freezes
it as JSON text, as the order's log does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.codec.contract.examination import read_contract
from pipeline.codec.statement.statement_json import read_statement_json, statement_json
from pipeline.model.contracts import Contract
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import Period
from pipeline.model.orders import Close, Command, DisputeState, Logged, MoveDispute, OpenDispute, Order, Unvoid, Void
from pipeline.model.statements import Adjustment, Basis, Line, Statement
from pipeline.model.text import fold as folded
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.pooled_lines import pooled_lines
from pipeline.rules.statement.adjustments import LineId, Recomputed, adjustments, at_billed_prices
from pipeline.rules.statement.closes import Closed, Closes, billed_since, read_closes
from pipeline.rules.statement.credits import granted
from tests.support.evidence.random_fleets import pure_counts, reading_of

BEFORE_GRANTED: Final[tuple[DisputeState, ...]] = ("submitted", "answered")


class History:
    """An account from its first contract on. Steps take effect in the order of the calls."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._heartbeats: list[Heartbeat] = []
        self._logged: list[Logged] = []
        self._contracts = {contract.content_hash: contract}

    @classmethod
    def under(cls, body: bytes) -> History:
        """A history that begins with the contract in these bytes."""
        return cls(read_contract("first", body))

    def apply(self, body: bytes) -> None:
        """Replace the contract by the version in these bytes."""
        self.change(read_contract("next", body))

    def use(self, heartbeats: Iterable[Heartbeat]) -> None:
        self._heartbeats += heartbeats

    def void(self, name: str, machine: str) -> None:
        self._order(name, Void("a test", machine=machine))

    def unvoid(self, name: str) -> None:
        self._order(f"undo {name}", Unvoid(name, "a mistake"))

    def change(self, contract: Contract) -> None:
        """Replace the contract by another version."""
        self.contract = self._contracts[contract.content_hash] = contract

    def grant(self, period: str, line: LineId, amount: int) -> None:
        name = f"dispute {len(self._logged)}"
        self._order(name, OpenDispute(period, *line, "cancellation", amount))
        for state in BEFORE_GRANTED:
            self._order(f"{name} {state}", MoveDispute(name, state))
        self._order(f"{name} granted", MoveDispute(name, "granted", granted=amount))

    def close(self, period: Period) -> Statement:
        text = statement_json(self.statement(period)).decode()
        close = Close(period.name, self.contract.content_hash, text, period.end_at, 0, forced=False)
        self._order(f"close {len(self._logged)}", close, issued_at=period.end_at)
        return self.closes().quarters[period.name].statement

    def closes(self) -> Closes:
        return read_closes(self._logged, read_statement_json)

    def statement(self, period: Period) -> Statement:
        """The frozen statement of a closed quarter, else the statement of an open quarter."""
        quarters = self.closes().quarters
        if period.name in quarters:
            return quarters[period.name].statement
        return Statement(
            account=self.contract.account,
            period=period,
            currency=self.contract.currency,
            lines=self._lines(period, self.contract, len(self._logged)),
            basis=Basis(period.end_at, len(self._heartbeats), 0, self.contract.content_hash, "0", "embedded"),
            adjustments=self._adjustments(quarters, period),
        )

    def _adjustments(self, closed: Mapping[str, Closed], period: Period) -> tuple[Adjustment, ...]:
        credits_by_quarter = granted(self._logged)

        def recompute(statement: Statement) -> Recomputed:
            closed_quarter = closed[statement.period.name]
            contract, now = self._contracts[closed_quarter.close.contract], len(self._logged)
            billed = [self._contracts[each.close.contract] for each in billed_since(closed_quarter, closed)]
            return Recomputed(
                as_closed=self._lines(statement.period, contract, closed_quarter.position),
                with_voids=self._lines(statement.period, contract, now),
                with_contract=self._lines(statement.period, at_billed_prices(self.contract, billed), now),
                granted=credits_by_quarter.get(statement.period.name, {}),
            )

        return adjustments({name: quarter.statement for name, quarter in closed.items()}, period, recompute)

    def _lines(self, period: Period, contract: Contract, commands: int) -> tuple[Line, ...]:
        """The lines under a contract and the first ``commands`` of the log, from all evidence so far."""
        voided = dict[str, str]()
        for logged in self._logged[:commands]:
            if isinstance(logged.command.order, Void):
                voided[logged.command.id] = folded(logged.command.order.machine)
            elif isinstance(logged.command.order, Unvoid):
                voided.pop(logged.command.order.void, None)
        counted = [heartbeat for heartbeat in self._heartbeats if folded(heartbeat.machine) not in voided.values()]
        reading = reading_of(contract)
        return pooled_lines(reading, period, pure_counts(reading, fold(counted), period))

    def _order(self, name: str, order: Order, issued_at: int = 0) -> None:
        command = Command(name, self.contract.account, "eva", issued_at, order)
        self._logged.append(Logged(command, len(self._logged)))
