"""Processes, step by step in the order of ``pipeline/agents/faust/checkpoint.py``, around the real pure steps.

A task is a generator. It yields the name of its next step and receives the fault of that step, or it yields the
milliseconds to sleep. Nothing interrupts it between two yields, as between two awaits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from typing import ClassVar, Final, Generic, TypeVar

from pipeline.agents.consuming import Message, Step
from pipeline.agents.meter import Metered, MeterStep
from pipeline.agents.sink import Batch, SinkStep
from pipeline.codec.columns.usage_messages import ARROW_ROWS_MIN
from pipeline.kafka.topics import HEARTBEATS, USAGE
from tests.simulation.auditor import LOG
from tests.simulation.broker import PARTITIONS, Group, Place
from tests.simulation.environment import Environment
from tests.simulation.faults import Fault
from tests.simulation.store import Inserts

CHECKPOINT_MESSAGES: Final = 6
CHECKPOINT_MS: Final = 900
COMMIT_MS_MAX: Final = 1_500
POLL_MS: Final = 700
LOCK_MS: Final = 20

Output = TypeVar("Output")
Result = TypeVar("Result")
Steps = Generator[str | int, Fault | None, Result]
Task = Steps[None]


class ProcessFailed(Exception):
    """An unexpected error: it ends the process, and nothing is acknowledged."""


class Process:
    """A process that faults can hit. It loses its memory when it ends."""

    role: ClassVar[str]

    def __init__(self, name: str, environment: Environment) -> None:
        self.name, self.environment = name, environment
        self.is_alive = True
        self.frozen_until_ms = 0

    def tasks(self) -> list[Task]:
        raise NotImplementedError


class Client(Process):
    """Writes frames to ``heartbeats``, several at a time, and retries each until it is acknowledged."""

    role = "client"

    def tasks(self) -> list[Task]:
        return [self._send()]

    def _send(self) -> Task:
        environment, waiting = self.environment, self.environment.to_send
        pause_ms_max = environment.chance.choice((40, 300, 1_500))
        while waiting:
            yield environment.chance.randint(0, pause_ms_max)
            sent = environment.chance.choice(waiting[:4])
            fault = yield "client send"
            if environment.write(self.name, HEARTBEATS, *sent, None, fault):
                waiting.remove(sent)


class Worker(Process, Generic[Output]):
    """An agent: reads, makes checkpoints by count and by time, and commits acknowledgements."""

    def __init__(self, name: str, environment: Environment) -> None:
        super().__init__(name, environment)
        self.step: Step[Output] = self.new_step()
        self.events: list[Message] = []
        self._is_flushing = False
        self._generation = -1
        self._positions: dict[Place, int] = {}
        self._committed: dict[Place, int] = {}
        self._acked: defaultdict[Place, set[int]] = defaultdict(set)

    @property
    def is_idle(self) -> bool:
        return not self.events and not self._is_flushing

    def new_step(self) -> Step[Output]:
        raise NotImplementedError

    def flush(self, output: Output) -> Task:
        """Write the outputs of a checkpoint. Ends only when all of them are stored."""
        raise NotImplementedError

    def tasks(self) -> list[Task]:
        return [self._read(), self._tick(), self._commit()]

    def _read(self) -> Task:
        while True:
            message = self._poll()
            if message is None:
                yield POLL_MS
                continue
            fault = yield f"{self.role} take"
            for _ in range(2 if fault is Fault.DUPLICATE else 1):
                self.take(message, fault)
            if len(self.events) >= CHECKPOINT_MESSAGES:
                yield from self._checkpoint()

    def _tick(self) -> Task:
        while True:
            yield CHECKPOINT_MS
            if self.events:
                yield from self._checkpoint()

    def _checkpoint(self) -> Task:
        """Make a checkpoint at a time; none follows a failed one."""
        while self._is_flushing:
            yield LOCK_MS
        self._is_flushing = True
        yield from self.checkpoint()
        self._is_flushing = False

    def checkpoint(self) -> Task:
        """Take the events and their outputs; await every write; only then acknowledge, in order."""
        fault = yield f"{self.role} drain"
        events, self.events = self.events, []
        self.environment.trace.note(self.name, "drains what", len(events), "messages lead to")
        output = self.drain(fault)
        yield from self.flush(output)
        yield from self.acknowledge(events)

    def take(self, message: Message, fault: Fault | None) -> None:
        if fault is Fault.RAISES:
            raise ProcessFailed("taking a message raised an error")
        self.environment.trace.note(self.name, "takes", f"{message.topic}/{message.partition}@{message.offset}")
        self.step.take(message)
        self.receive(message)

    def receive(self, message: Message) -> None:
        self.events.append(message)
        self.environment.auditor.taken(self.name, message)

    def drain(self, fault: Fault | None) -> Output:
        if fault is Fault.RAISES:
            raise ProcessFailed("draining raised an error")
        return self.step.drain()

    def acknowledge(self, events: list[Message]) -> Task:
        for event in events:
            fault = yield f"{self.role} ack"
            for _ in range(2 if fault is Fault.DUPLICATE else 1):
                self._acked[event.topic, event.partition].add(event.offset)
                self.environment.trace.note(self.name, "acks", f"{event.topic}/{event.partition}@{event.offset}")
            self.environment.auditor.acknowledged(self.name, event)

    def _poll(self) -> Message | None:
        """The next message of some partition. Only here does a worker learn of a rebalance."""
        broker = self.environment.broker
        if broker.is_away:
            return None
        group = broker.groups[self.role]
        group.join(self.name)
        if self._generation != group.generation:
            self._assign(group)
        ready = [place for place, position in self._positions.items() if position < len(broker.logs[place])]
        if not ready:
            return None
        place = self.environment.chance.choice(ready)
        self._positions[place] += 1
        return broker.logs[place][self._positions[place] - 1]

    def _assign(self, group: Group) -> None:
        """Forget acks that are not committed; keep processing messages taken before."""
        self._generation = group.generation
        self._committed = {place: group.committed[place] for place in group.places if group.owners[place] == self.name}
        self._positions = dict(self._committed)
        self._acked.clear()
        assigned = (f"{topic}/{partition}@{offset}" for (topic, partition), offset in self._positions.items())
        self.environment.trace.note(self.name, "is assigned", *assigned)

    def _commit(self) -> Task:
        while True:
            yield self.environment.chance.randint(50, COMMIT_MS_MAX)
            offsets = self._committable()
            if offsets:
                fault = yield f"{self.role} commit"
                if not self.environment.commit(self.name, self.role, offsets, fault):
                    raise ProcessFailed("the broker did not answer a commit")

    def _committable(self) -> dict[Place, int]:
        """The end of the first run of acks by partition, as Faust computes it: a gap of a single message is ignored."""
        offsets: dict[Place, int] = {}
        for place, committed in self._committed.items():
            acked = self._acked[place]
            end = min(acked, default=0)
            if not acked or (committed and end - committed > 1):
                continue
            while end in acked:
                acked.remove(end)
                end += 1
            if end > committed:
                self._committed[place] = offsets[place] = end
        return offsets


class MeterWorker(Worker[Metered]):
    """The meter around ``MeterStep``."""

    role = "meter"

    def new_step(self) -> Step[Metered]:
        return MeterStep(LOG)

    def flush(self, output: Metered) -> Task:
        """All writes run concurrently: a refused write does not hold back the others."""
        are_written = True
        rows_min = self.environment.chance.choice((1, ARROW_ROWS_MIN))
        for outgoing in output.outgoing(PARTITIONS[USAGE], rows_min):
            fault = yield f"meter produce {outgoing.topic}"
            are_written &= self.environment.write(self.name, *outgoing, fault)
        if not are_written:
            raise ProcessFailed("the broker refused a message")


class SinkWorker(Worker[Batch]):
    """The sink around ``SinkStep``; the store's errors are retried with the same rows, as ``RetryingStore`` does."""

    role = "sink"

    def new_step(self) -> Step[Batch]:
        return SinkStep(LOG)

    def flush(self, output: Batch) -> Task:
        while not (yield from self.write(output)):
            yield self.environment.chance.randint(500, 4_000)
            yield "sink retry"

    def write(self, batch: Batch) -> Steps[bool]:
        """Insert the rows of the batch, table by table; whether the store accepted everything."""
        inserts = Inserts()
        batch.write(inserts)
        for table, rows in inserts.gathered:
            fault = yield f"sink insert {table}"
            if not self.environment.insert(self.name, table, rows, fault):
                return False
        return True
