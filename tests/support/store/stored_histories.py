"""The history of an account in the store: the steps of ``histories.py``, stored as the sink stores them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.statement_life import current_statement, open_statement
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.statement.statement_json import statement_json
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import EARLIEST_AT, LATEST_AT, Period
from pipeline.model.orders import Close, Command, MoveDispute, OpenDispute, Order, Unvoid, Void
from pipeline.model.statements import Statement
from pipeline.model.text import fold as folded
from pipeline.rules.evidence.merge import fold
from pipeline.rules.statement.adjustments import LineId
from pipeline.rules.statement.closes import Closes
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.order_log import PlacedCommand, write_commands
from tests.support.evidence.histories import BEFORE_GRANTED
from tests.support.evidence.random_fleets import reading_of
from tests.support.store.written_facts import write_session_days

SENT_AT = LATEST_AT - 1


class StoredHistory:
    """An account from its first contract on; every message is delivered twice."""

    def __init__(self, store: Client, body: bytes) -> None:
        self._store, self._messages = store, 0
        self.apply(body)

    def apply(self, body: bytes) -> None:
        self._messages += 1
        self.contract = read_contract("applied", body)
        store_contract(self._store, self.contract, body, EARLIEST_AT + self._messages)

    def use(self, heartbeats: Iterable[Heartbeat]) -> None:
        delivered = [heartbeat._replace(machine=folded(heartbeat.machine)) for heartbeat in heartbeats]
        for _ in range(2):
            write_session_days(self._store, fold(delivered))

    def void(self, name: str, machine: str) -> None:
        self._order(name, Void("a test", machine=machine, from_at=EARLIEST_AT, until_at=SENT_AT))

    def unvoid(self, name: str) -> None:
        self._order(f"undo {name}", Unvoid(name, "a mistake"))

    def grant(self, period: str, line: LineId, amount: int) -> None:
        name = f"dispute {self._messages}"
        self._order(name, OpenDispute(period, *line, "cancellation", amount))
        for state in BEFORE_GRANTED:
            self._order(f"{name} {state}", MoveDispute(name, state))
        self._order(f"{name} granted", MoveDispute(name, "granted", granted=amount))

    def close(self, period: Period) -> Statement:
        frozen = open_statement(self.view(), period, now=LATEST_AT)
        text = statement_json(replace(frozen, state="closed")).decode()
        self._order(
            f"close {self._messages}",
            Close(period.name, self.contract.content_hash, text, period.end_at, 0, forced=False),
        )
        return self.statement(period)

    def closes(self) -> Closes:
        return self.view().closes

    def statement(self, period: Period) -> Statement:
        return current_statement(self.view(), period, now=LATEST_AT)

    def view(self) -> AccountView:
        """The current view of the account."""
        return AccountView.of(self._store, reading_of(self.contract))

    def _order(self, name: str, order: Order) -> None:
        self._messages += 2
        command = Command(name, self.contract.account, "eva", SENT_AT, order)
        first = PlacedCommand(command, "log", "commands", 0, self._messages, EARLIEST_AT + self._messages)
        write_commands(self._store, [first, replace(first, offset=first.offset + 1)])
