"""Plausible defects, each planted by replacing a part. The simulation must detect all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import add
from typing import ClassVar, Final

import pyarrow as pa

from pipeline.agents.consuming import Message, Step
from pipeline.agents.meter import Metered, MeterStep
from pipeline.agents.sink import Batch, SinkStep
from pipeline.codec.columns.usage_rows import KEY
from pipeline.codec.topics.heartbeats import decode
from pipeline.kafka.topics import USAGE
from pipeline.store import facts
from pipeline.store.client import Client
from tests.simulation.auditor import LOG
from tests.simulation.broker import PARTITIONS, Place
from tests.simulation.faults import Fault
from tests.simulation.store import MERGES, Cell, Merge, StoreModel
from tests.simulation.workers import MeterWorker, Output, SinkWorker, Task, Worker
from tests.simulation.world import Parts


class AcknowledgesBeforeProduce(MeterWorker):
    def checkpoint(self) -> Task:
        events, self.events = self.events, []
        yield from self.acknowledge(events)
        yield from self.flush(self.drain((yield "meter drain")))


class AcknowledgesBeforeInsert(SinkWorker):
    def checkpoint(self) -> Task:
        events, self.events = self.events, []
        yield from self.acknowledge(events)
        yield from self.flush(self.drain((yield "sink drain")))


class IgnoresRefusedProduce(MeterWorker):
    def flush(self, output: Metered) -> Task:
        for outgoing in output.outgoing(PARTITIONS[USAGE]):
            fault = yield f"meter produce {outgoing.topic}"
            self.environment.write(self.name, *outgoing, fault)


class IgnoresFailedInsert(SinkWorker):
    def flush(self, output: Batch) -> Task:
        yield from self.write(output)


class RetriesWithOtherRows(SinkWorker):
    """Retries with the rows gathered since, without the old rows."""

    def flush(self, output: Batch) -> Task:
        while not (yield from self.write(output)):
            yield 1_000
            yield "sink retry"
            output = self.step.drain()


class DrainsAgainAfterFlush(MeterWorker):
    """Clears its step after the flush, and with it what arrived during the flush."""

    def flush(self, output: Metered) -> Task:
        yield from super().flush(output)
        self.step.drain()


class SinkDrainsAgainAfterFlush(SinkWorker):
    def flush(self, output: Batch) -> Task:
        yield from super().flush(output)
        self.step.drain()


class TakesEventsAfterFlush(MeterWorker):
    """Acknowledges the messages that are there after the flush, not those from before."""

    def checkpoint(self) -> Task:
        yield from self.flush(self.drain((yield "meter drain")))
        events, self.events = self.events, []
        yield from self.acknowledge(events)


class GoesOnAfterFailure(Worker[Output]):
    """Allows another checkpoint after a failed one, while the process is about to end."""

    def _checkpoint(self) -> Task:
        try:
            yield from super()._checkpoint()
        finally:
            self._is_flushing = False


class MeterGoesOnAfterFailure(GoesOnAfterFailure[Metered], MeterWorker):
    pass


class SinkGoesOnAfterFailure(GoesOnAfterFailure[Batch], SinkWorker):
    pass


class SwallowsErrorOfTake(Worker[Output]):
    def take(self, message: Message, fault: Fault | None) -> None:
        if fault is Fault.RAISES:
            self.receive(message)
        else:
            super().take(message, fault)


class MeterSwallowsErrorOfTake(SwallowsErrorOfTake[Metered], MeterWorker):
    pass


class SinkSwallowsErrorOfTake(SwallowsErrorOfTake[Batch], SinkWorker):
    pass


class SwallowsErrorOfDrain(MeterWorker):
    def drain(self, fault: Fault | None) -> Metered:
        output = super().drain(None)
        return replace(output, columns=[], letters=[]) if fault is Fault.RAISES else output


class CommitsWhatItHasRead(SinkWorker):
    """Commits positions like automatic commits, not acknowledgements."""

    def _committable(self) -> dict[Place, int]:
        return {place: at for place, at in self._positions.items() if at > self._committed[place]}


class LastOpeningStep(MeterStep):
    """Takes the opening of a session from the latest message."""

    def __init__(self, log_id: str) -> None:
        super().__init__(log_id)
        self._opened_at: dict[tuple[str, ...], int] = {}

    def take(self, message: Message) -> None:
        super().take(message)
        for heartbeat in decode(message.value).heartbeats:
            self._opened_at[heartbeat[:7]] = heartbeat.opened_at

    def drain(self) -> Metered:
        metered = super().drain()
        rows = metered.usage.rows
        last = [self._opened_at[session] for session in zip(*rows.select(KEY[:7]).to_pydict().values(), strict=True)]
        place = rows.schema.get_field_index("opened_at")
        changed = rows.set_column(place, rows.schema.field(place), [pa.array(last, pa.int64())])
        self._opened_at.clear()
        metered.__dict__["usage"] = metered.usage._replace(rows=changed)
        return metered


class FoldsLastOpening(MeterWorker):
    def new_step(self) -> Step[Metered]:
        return LastOpeningStep(LOG)


class DeliveriesFirst(Batch):
    def write(self, client: Client) -> None:
        facts.write_deliveries(client, self.usage.deliveries)
        super().write(client)


class DeliveriesFirstStep(SinkStep):
    def drain(self) -> Batch:
        batch = super().drain()
        return DeliveriesFirst(batch.usage, batch.letters, batch.denials)


class CountsBeforeItStores(SinkWorker):
    def new_step(self) -> Step[Batch]:
        return DeliveriesFirstStep(LOG)


def _sum_per_key(old: Cell, new: Cell) -> Cell:
    return old | {key: value + old.get(key, 0) for key, value in new.items()}


def _latest(_old: Cell, new: Cell) -> Cell:
    return new


def _store(table: str, column: str, merge: Merge) -> type[StoreModel]:
    """A store in which a column merges differently."""

    class DefectiveStore(StoreModel):
        merges: ClassVar = {**MERGES, table: {**MERGES[table], column: merge}}

    return DefectiveStore


DEFECTS: Final[Mapping[str, Parts]] = {
    "ack before produce": Parts(meter=AcknowledgesBeforeProduce),
    "ack before insert": Parts(sink=AcknowledgesBeforeInsert),
    "produce not awaited": Parts(meter=IgnoresRefusedProduce),
    "insert not awaited": Parts(sink=IgnoresFailedInsert),
    "retry with other rows": Parts(sink=RetriesWithOtherRows),
    "meter's drain loses what arrived during a flush": Parts(meter=DrainsAgainAfterFlush),
    "sink's drain loses what arrived during a flush": Parts(sink=SinkDrainsAgainAfterFlush),
    "ack of what arrived during a flush": Parts(meter=TakesEventsAfterFlush),
    "error of a take swallowed": Parts(meter=MeterSwallowsErrorOfTake, sink=SinkSwallowsErrorOfTake),
    "error of a drain swallowed": Parts(meter=SwallowsErrorOfDrain),
    "checkpoint after a failed one": Parts(meter=MeterGoesOnAfterFailure, sink=SinkGoesOnAfterFailure),
    "positions committed": Parts(sink=CommitsWhatItHasRead),
    "last opened_at instead of the first": Parts(meter=FoldsLastOpening),
    "deliveries stored before facts": Parts(sink=CountsBeforeItStores),
    "column that adds": Parts(store=_store("usage_days", "last_at", add)),
    "stretches that add": Parts(store=_store("usage_days", "stretches", _sum_per_key)),
    "deliveries added up": Parts(store=_store("deliveries", "heartbeats", _sum_per_key)),
    "version of the latest insert": Parts(store=_store("usage_days", "version", _latest)),
    "slots of the latest insert": Parts(store=_store("usage_days", "used_slots", _latest)),
    "close of the latest insert": Parts(store=_store("session_closes", "closed_at", _latest)),
}
