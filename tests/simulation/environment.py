"""The environment of a simulated process: broker, store, chance, and the auditor that observes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.simulation.auditor import Auditor
from tests.simulation.broker import Broker, Headers, Place
from tests.simulation.faults import Fault
from tests.simulation.inputs import Sent
from tests.simulation.schedule import Scheduler, Trace
from tests.simulation.store import Row, StoreModel

LATE_COMMIT_MS_MAX: Final = 15_000


@dataclass(slots=True)
class Environment:
    """All effects of steps happen here, so that the auditor observes each."""

    chance: Random
    scheduler: Scheduler
    trace: Trace
    broker: Broker
    store: StoreModel
    auditor: Auditor
    to_send: list[Sent]
    store_is_away: bool = False

    def is_in_vain(self, step: str) -> bool:
        """Whether a step has no effect anyway, so that a fault at it means nothing."""
        needs_store = step.startswith("sink insert")
        needs_broker = step.endswith(("send", "commit")) or "produce" in step
        return (needs_store and self.store_is_away) or (needs_broker and self.broker.is_away)

    def write(
        self,
        who: str,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        partition: int | None,
        fault: Fault | None,
    ) -> bool:
        """Write a message to a topic under a fault; whether the broker acknowledges it."""
        if self.broker.is_away or fault is Fault.REFUSED:
            self.trace.note(who, "is refused by", topic)
            return False
        for _ in range(2 if fault is Fault.DUPLICATE else 1):
            message = self.broker.append(self.scheduler.now_ms, topic, key, value, headers, partition)
            self.trace.note(who, "writes", f"{topic}/{message.partition}@{message.offset}")
        return fault is not Fault.ANSWER_LOST

    def insert(self, who: str, table: str, rows: list[Row], fault: Fault | None) -> bool:
        """Insert rows into a table under a fault; whether the store acknowledges them."""
        if self.store_is_away or fault is Fault.REFUSED:
            self.trace.note(who, "is refused by", table)
            return False
        stored = self.chance.sample(rows, self.chance.randint(0, len(rows))) if fault is Fault.PARTIAL else rows
        for _ in range(2 if fault is Fault.DUPLICATE else 1):
            self.trace.note(who, "inserts", len(stored), "of", len(rows), "rows into", table)
            self.store.insert(table, stored)
            self.auditor.inserted(table, stored)
        return fault not in (Fault.ANSWER_LOST, Fault.PARTIAL)

    def commit(self, who: str, group: str, offsets: Mapping[Place, int], fault: Fault | None) -> bool:
        """Commit offsets of a group under a fault; whether the broker answers."""
        commit = self._commit(who, group, offsets)
        if self.broker.is_away or fault is Fault.REFUSED:
            self.trace.note(who, "commits in vain", _shown(offsets))
            return True
        commit()
        if fault is Fault.DUPLICATE:
            self.scheduler.after(self.chance.randint(1_000, LATE_COMMIT_MS_MAX), commit)
        return fault is not Fault.ANSWER_LOST

    def _commit(self, who: str, group: str, offsets: Mapping[Place, int]) -> Callable[[], None]:
        def commit() -> None:
            self.trace.note(who, "commits", _shown(offsets))
            self.broker.groups[group].committed.update(offsets)
            self.auditor.committed(offsets)

        return commit


def _shown(offsets: Mapping[Place, int]) -> str:
    return " ".join(f"{topic}/{partition}@{offset}" for (topic, partition), offset in offsets.items())
