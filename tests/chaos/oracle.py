"""What must be stored, and what every statement must say: computed once more from the raw log, as plainly as possible.

Facts come from the simulation's reading of RULES 1 (``tests.simulation.evidence``), which shares nothing with the
pipeline; counts are taken here, slot by slot, as RULES 3 says it. Only the arithmetic on counts is the pipeline's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.agents.checkpoint import Message
from pipeline.agents.topics import DENIALS, HEARTBEATS
from pipeline.codec.contracts import read_contract
from pipeline.model.instants import Period
from pipeline.model.statement import PooledLine
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pooled import pooled_lines
from pipeline.rules.reading import ContractReading
from tests.simulation.evidence import SLOT_MS, read_heartbeats
from tests.simulation.knowledge import Knowledge, Session

PERIOD: Final = Period.parse("2022Q2")
_HOUR_MS: Final = 3_600_000
_SLOTS_PER_DAY: Final = 144
_CONTRACT: Final = """
account: {account}
country: CZ
currency: EUR
default_policy: {policy}
products:
  MSTN: {{name: MicroStation, list_price: "6000.00"}}
  ORD: {{name: OpenRoads Designer, list_price: "9600.00"}}
entitlements:
  - {{product: MSTN, model: pooled, policy: {policy}, quantity: 1, from: 2020-01-01}}
"""
ACCOUNTS: Final[Mapping[str, str]] = {
    "studio": "bentley-select",
    "Škoda Praha a. s.": "bentley-select-deployed",
    "設計": "bentley-select",
}
"""Every account that evidence speaks of, and the policy of its contract."""

Place = tuple[str, int, int]
"""Topic, partition, offset."""
Denied = tuple[str, int, str]
"""Account, time, id: a denial's place in the store."""
Statement = tuple[tuple[PooledLine, ...], int, int]
"""Lines, heartbeats delivered, dead letters."""


@dataclass(slots=True)
class Truth:
    """What a raw log leads to. ``members`` is how many of them each message of ``heartbeats`` holds.

    ``unreadable`` are messages on the topics between the agents that no agent wrote.
    """

    knowledge: Knowledge = field(default_factory=Knowledge)
    members: dict[tuple[int, int], int] = field(default_factory=dict)
    denied: set[Denied] = field(default_factory=set)
    unreadable: set[Place] = field(default_factory=set)

    def read(self, message: Message) -> None:
        """Take in a message as the broker has it."""
        if message.topic == HEARTBEATS:
            place = message.partition, message.offset
            self.members[place], says = read_heartbeats(message)
            self.knowledge.learn(says)
        elif not (message.value or b"").startswith(b'{"v":1,'):
            self.unreadable.add((message.topic, message.partition, message.offset))
        elif message.topic == DENIALS:
            denial = json.loads(message.value or b"")
            self.denied.add((denial["account"], denial["at"], denial["id"]))

    def statement(self, account: str, letters: int) -> Statement:
        """The statement of an account, of which (or of nobody) there are so many dead letters."""
        reading = reading_of(account)
        delivered = sum(count for (name, *_), count in self.knowledge.deliveries.items() if name == account)
        return pooled_lines(reading, PERIOD, self.counts(account)), delivered, letters

    def counts(self, account: str) -> dict[tuple[str, str], dict[int, int]]:
        """Units per product, country and slot of the period (RULES 3)."""
        slot_ms, min_use_ms, opening_counts, is_by_machine = {
            "bentley-select": (SLOT_MS, 600_000, False, True),
            "bentley-select-deployed": (_HOUR_MS, 0, True, False),
        }[ACCOUNTS[account]]
        units: dict[tuple[str, str], dict[int, set[object]]] = {}
        for session, opened_at, last_at, used_at in self._sessions(account):
            if session[3] != "production" or last_at - opened_at < min_use_ms:
                continue
            unit: object = session[4] if is_by_machine else session
            slots = units.setdefault((session[1], session[2] or "CZ"), {})
            for slot in {at // slot_ms for at in used_at if PERIOD.start_at <= at < PERIOD.end_at}:
                if opening_counts or slot != opened_at // slot_ms:
                    slots.setdefault(slot * slot_ms, set()).add(unit)
        return {pool: {at: len(found) for at, found in slots.items()} for pool, slots in units.items()}

    def _sessions(self, account: str) -> Iterator[tuple[Session, int, int, list[int]]]:
        found: dict[Session, tuple[int, int, list[int]]] = {}
        for (session, day), fact in self.knowledge.days.items():
            if session[0] == account:
                opened_at, last_at, used_at = found.get(session, (fact.opened_at, fact.last_at, []))
                used_at += [(day * _SLOTS_PER_DAY + slot) * SLOT_MS for slot in fact.slots]
                found[session] = (min(opened_at, fact.opened_at), max(last_at, fact.last_at), used_at)
        return ((session, *found[session]) for session in sorted(found))


def truth_of(log: Iterable[Message]) -> Truth:
    """What some messages lead to."""
    truth = Truth()
    for message in log:
        truth.read(message)
    return truth


def reading_of(account: str) -> ContractReading:
    """The contract that an account is judged by."""
    text = _CONTRACT.format(account=json.dumps(account, ensure_ascii=False), policy=ACCOUNTS[account])
    return ContractReading(read_contract(f"{account}.yaml", text.encode()), metering_catalogue())
