"""Computes what must be stored, and what every statement must say, from the raw log with a second, plain model.

Facts come from the simulation's reading of RULES 1 (``tests.simulation.evidence``), which shares no code with the
pipeline; counts are computed here, slot by slot, by RULES 3. Only the arithmetic on counts is the pipeline's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pipeline.agents.consuming import Message
from pipeline.codec.contract.examination import read_contract
from pipeline.kafka.topics import COMMANDS, CONTRACTS, DENIALS, HEARTBEATS
from pipeline.model.statements import PooledLine
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.pooled_lines import pooled_lines
from pipeline.rules.pool.reading import ContractReading
from tests.chaos.judge import ACCOUNTS, ASSIGNED_AT, PERIOD, OrderEffects, Orders, closed_at, contract_body, effects_of
from tests.simulation.evidence import SLOT_MS, read_heartbeats
from tests.simulation.knowledge import Knowledge, Session

_HOUR_MS: Final = 3_600_000
_SLOTS_PER_DAY: Final = 144
_LATER: Final = ("void", "unvoid")

Place = tuple[str, int, int]
"""Topic, partition, offset."""
Denied = tuple[str, int, str]
"""Account, time, id: a denial's place in the store."""
Statement = tuple[tuple[PooledLine, ...], tuple[str, ...], int, int]
"""Pooled lines, who holds a seat, heartbeats delivered, dead letters."""
Adjusted = tuple[str, str, str, int]
"""Kind, product, country and amount of an adjustment of the closed quarter."""


@dataclass(slots=True)
class Truth:
    """The results of a raw log. ``members`` is the number of members in each message of ``heartbeats``.

    ``unreadable`` are foreign messages on the topics between the agents.
    """

    knowledge: Knowledge = field(default_factory=Knowledge)
    members: dict[tuple[int, int], int] = field(default_factory=dict)
    denied: set[Denied] = field(default_factory=set)
    unreadable: set[Place] = field(default_factory=set)
    orders: Orders = field(default_factory=Orders)

    def read(self, message: Message) -> None:
        """Read a message of the log."""
        if message.topic == HEARTBEATS:
            place = message.partition, message.offset
            self.members[place], says = read_heartbeats(message)
            self.knowledge.learn(says)
        elif message.topic in {COMMANDS, CONTRACTS}:
            if not self.orders.read(message):
                self.unreadable.add((message.topic, message.partition, message.offset))
        elif not (message.value or b"").startswith(b'{"v":1,'):
            self.unreadable.add((message.topic, message.partition, message.offset))
        elif message.topic == DENIALS:
            denial = json.loads(message.value or b"")
            self.denied.add((denial["account"], denial["at"], denial["id"]))

    def statement(self, account: str, letters: int) -> Statement:
        """The statement of an account; ``letters`` counts the dead letters of it or without an account."""
        delivered = sum(count for (name, *_), count in self.knowledge.deliveries.items() if name == account)
        today = effects_of(self.orders.of(account))
        return self._lines(account, today), today.holders, delivered, letters

    def adjustments(self, account: str) -> list[Adjusted]:
        """The adjustments on the quarter after the closed one, which was closed without lines (RULES 7)."""
        orders = self.orders.of(account)
        closed = closed_at(orders)
        if closed is None:
            return []
        before, after = orders[:closed], orders[closed:]
        steps = [
            ("late_evidence", before),
            ("void", [*before, *(order for order in after if order["kind"] in _LATER)]),
            ("contract", orders),
        ]
        carried, billed = list[Adjusted](), dict[tuple[str, str], int]()
        for kind, orders_known in steps:
            due = {
                (line.product, line.country): line.amount or 0
                for line in self._lines(account, effects_of(orders_known))
            }
            carried += [(kind, *pool, amount - billed.get(pool, 0)) for pool, amount in due.items()]
            carried += [(kind, *pool, -amount) for pool, amount in billed.items() if pool not in due]
            billed = due
        return sorted(adjustment for adjustment in carried if adjustment[-1])

    def _lines(self, account: str, today: OrderEffects) -> tuple[PooledLine, ...]:
        return pooled_lines(reading_of(account), PERIOD, self.counts(account, today))

    def counts(self, account: str, today: OrderEffects) -> dict[tuple[str, str], dict[int, int]]:
        """Units per product, country and slot of the period (RULES 3), without what is void or covered (RULES 5)."""
        slot_ms, min_use_ms, opening_counts, is_by_machine = {
            "bentley-select": (SLOT_MS, 600_000, False, True),
            "bentley-select-deployed": (_HOUR_MS, 0, True, False),
        }[ACCOUNTS[account]]
        units: dict[tuple[str, str], dict[int, set[object]]] = {}
        for session, opened_at, last_at, used_at in self._sessions(account):
            if session[3] != "production" or last_at - opened_at < min_use_ms:
                continue
            if today.is_void(session[6], session[1]):
                continue
            unit: object = session[4] if is_by_machine else session
            covered = session[1] == "MSTN" and session[5] in today.holders
            slots = units.setdefault((session[1], session[2] or "CZ"), {})
            for slot in {at // slot_ms for at in used_at if PERIOD.start_at <= at < PERIOD.end_at}:
                if covered and slot * slot_ms >= ASSIGNED_AT:
                    continue
                if opening_counts or slot != opened_at // slot_ms:
                    slots.setdefault(slot * slot_ms, set()).add(unit)
        return {pool: {at: len(units_of_slot) for at, units_of_slot in slots.items()} for pool, slots in units.items()}

    def _sessions(self, account: str) -> Iterator[tuple[Session, int, int, list[int]]]:
        by_session: dict[Session, tuple[int, int, list[int]]] = {}
        for (session, day), fact in self.knowledge.days.items():
            if session[0] == account:
                opened_at, last_at, used_at = by_session.get(session, (fact.opened_at, fact.last_at, []))
                used_at += [(day * _SLOTS_PER_DAY + slot) * SLOT_MS for slot in fact.slots]
                by_session[session] = (min(opened_at, fact.opened_at), max(last_at, fact.last_at), used_at)
        return ((session, *by_session[session]) for session in sorted(by_session))


def truth_of(log: Iterable[Message]) -> Truth:
    """The results of a log."""
    truth = Truth()
    for message in log:
        truth.read(message)
    return truth


def reading_of(account: str) -> ContractReading:
    """The reading of an account's contract."""
    return ContractReading(read_contract(f"{account}.yaml", contract_body(account)), metering_catalogue())
