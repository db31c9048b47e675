"""Agents of the tests, built with ``Checkpoints`` on an embedded broker: what they acknowledge, and when.

``python -m tests.support.agents.checkpointing`` plays every case and prints what it saw, a JSON object;
``faust_crashes``, which does not end quietly, is played alone. No case touches a store: the client of ``retried`` and
``refused`` fails as it is told to.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import faust
import orjson
import pyarrow as pa
from aiokafka import AIOKafkaConsumer, TopicPartition
from clickhouse_connect.driver.exceptions import OperationalError

from pipeline.agents.faust.app import build_app, raw_topics
from pipeline.agents.faust.checkpoint import Checkpoints, Message, Pace, Stream
from pipeline.agents.faust.continuity import Continuity
from pipeline.agents.faust.transport import WAITING_BYTES, waiting_bytes
from pipeline.agents.health.monitor import Monitor, StandsStill
from pipeline.agents.sink import Batch, StoreWriter
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.kafka.group_lag import GroupProgress
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import Topic, create_topics
from pipeline.model.evidence import SessionDay, SessionKey
from pipeline.store.client import Parameter, QueryResult

NEVER_MS: Final = 3_600_000
TURN_S: Final = 0.02
WAIT_S_MAX: Final = 60.0
Seen = dict[str, Any]


@dataclass
class Recorder:
    """A step that remembers what it took and gives it out; ``poison`` makes it raise."""

    taken: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def take(self, message: Message) -> None:
        text = (message.value or b"").decode()
        self.taken.append(text)
        if text == "poison":
            raise ValueError("the step was told to fail")
        self.waiting.append(text)

    def drain(self) -> list[str]:
        drained, self.waiting = self.waiting, []
        return drained


@dataclass
class Case:
    """One agent on one topic of its own, and what became of it."""

    name: str
    bootstrap: str
    producer: Producer
    partitions: int = 1
    step: Recorder = field(default_factory=Recorder)
    failures: list[BaseException] = field(default_factory=list)
    acknowledged: list[tuple[int, int]] = field(default_factory=list)
    app: faust.App | None = None

    async def send(self, *texts: str) -> None:
        await self.producer.write(Outgoing(self.name, text.encode(), text.encode()) for text in texts)

    async def pass_over(self, offset: int, *texts: str) -> None:
        """Send messages and let Faust's consumer go on from an offset, as after a rebalance whose way back failed."""
        assert self.app is not None
        consumer: AIOKafkaConsumer = vars(vars(self.app.consumer)["_thread"])["_consumer"]
        place = TopicPartition(self.name, 0)
        consumer.pause(place)
        await self.send(*texts)
        consumer.seek(place, offset)
        consumer.resume(place)

    async def committed(self) -> int:
        lag = await self.progress.lag()
        return lag.end - lag.behind

    @property
    def progress(self) -> GroupProgress:
        return self._progress

    @asynccontextmanager
    async def running(
        self, flush: Callable[[list[str]], Awaitable[None]], pace: Pace, before: Sequence[Outgoing] = ()
    ) -> AsyncIterator[None]:
        """Run the agent; what is sent ``before`` it starts waits in the log."""
        settings = Settings(
            kafka_bootstrap=self.bootstrap, app_id="case", fetch_wait_ms=50, session_timeout_s=3,
            rebalance_timeout_s=3, commit_interval_ms=50, topics="embedded",
        )  # fmt: skip
        await create_topics(self.bootstrap, [Topic(self.name, self.partitions, 1, {})], with_config=False)
        await self.producer.write(before)
        app = build_app(settings, self.name, self.failures.append)
        continuity = Continuity(self.bootstrap, app.conf.id)
        checkpoints = Checkpoints(self.step, flush, pace, self.failures.append, continuity=continuity)

        @app.agent(raw_topics(app, self.name), concurrency=1, name=self.name)
        async def agent(stream: Stream) -> None:
            await checkpoints.run(stream)

        acknowledge = app.consumer.ack

        def remember(message: Any) -> bool:
            self.acknowledged.append((message.partition, message.offset))
            return bool(acknowledge(message))

        app.consumer.ack = remember  # type: ignore[method-assign]  # to see, not to change
        self._progress = GroupProgress(
            self.bootstrap, f"case-{self.name}", {self.name: self.partitions}, self.producer.ends
        )
        try:
            await self._progress.start()
            await app.start()
            self.app = app
            yield
        finally:
            await app.stop()
            await self._progress.stop()


class FailingClient:
    """A store whose inserts fail the first times. It remembers the rows of every try."""

    def __init__(self, errors: Iterable[Exception]) -> None:
        self._errors = list(errors)
        self.tries: list[list[dict[str, object]]] = []
        self.done = False

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object:
        self.tries.append(arrow_table.to_pylist())
        if self._errors:
            raise self._errors.pop(0)
        self.done = True
        return table

    def command(self, cmd: str, parameters: Mapping[str, Parameter] | None = None) -> object:
        raise NotImplementedError

    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult:
        raise NotImplementedError

    def close(self) -> None:
        return None


async def _until(holds: Callable[[], bool] | Callable[[], Coroutine[object, object, bool]]) -> None:
    async with asyncio.timeout(WAIT_S_MAX):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(TURN_S)


async def _nothing(_: list[str]) -> None:
    return None


async def step_raises(case: Case) -> Seen:
    """A step fails at the second message of three; a fourth comes later."""
    async with case.running(_nothing, Pace(1_000, NEVER_MS)):
        await case.send("one", "poison", "three")
        await _until(lambda: bool(case.failures))
        await case.send("four")
        return await _afterwards(case)


async def passed_over(case: Case) -> Seen:
    """Faust's consumer goes on further than where it was."""
    async with case.running(_nothing, Pace(1, 20)):
        await case.send("one")
        await _until(lambda: bool(case.acknowledged))
        await case.pass_over(3, "lost", "lost", "four")
        return await _missed(case)


async def passed_over_at_first(case: Case) -> Seen:
    """Faust's consumer goes on further than the beginning of what nobody has committed."""
    async with case.running(_nothing, Pace(1, 20)):
        await case.pass_over(2, "lost", "lost", "three")
        return await _missed(case)


async def stands_still(case: Case) -> Seen:
    """A checkpoint never ends, although the broker answers; somebody watches."""

    async def flush(_: list[str]) -> None:
        await asyncio.Event().wait()

    async with case.running(flush, Pace(1, NEVER_MS)):
        await case.send("one")
        await _until(lambda: case.step.taken == ["one"])
        assert case.app is not None
        watching = Monitor(("case",), stall_ms=1_000).watch(case.bootstrap, {"case": case.app}, None)
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                await watching
        except StandsStill as error:
            return {"told": str(error).replace(case.name, "TOPIC").rpartition(" for ")[0]}
    return {}


async def _missed(case: Case) -> Seen:
    await _until(lambda: bool(case.failures))
    return {
        "taken": case.step.taken,
        "failures": [f"{type(one).__name__}: {one}".replace(case.name, "TOPIC") for one in case.failures],
        "acknowledged": case.acknowledged,
    }


async def flush_raises(case: Case) -> Seen:
    """What a checkpoint leads to cannot be produced: it is larger than any message may be."""

    async def flush(texts: list[str]) -> None:
        await case.producer.write([Outgoing(case.name, None, b"x" * 5 * 1024 * 1024) for _ in texts])

    async with case.running(flush, Pace(1_000, 20)):
        await case.send("one")
        await _until(lambda: bool(case.failures))
        await case.send("two")
        return await _afterwards(case)


async def faust_crashes(case: Case) -> Seen:
    """A part of Faust crashes, from which no agent hears anything."""
    async with case.running(_nothing, Pace(1, 20)):
        await case.send("one")
        await _until(lambda: bool(case.acknowledged))
        assert case.app is not None
        await case.app.consumer.crash(RuntimeError("the commit was refused"))
        await _until(lambda: bool(case.failures))
    return {"failures": [str(one) for one in case.failures[:1]]}


async def _afterwards(case: Case) -> Seen:
    """What is seen once an agent that never failed has worked off what came after the failure."""
    clock = Case(f"{case.name}-clock", case.bootstrap, case.producer)
    async with clock.running(_nothing, Pace(1, 20)):
        await clock.send("tick")
        await _until(lambda: clock.acknowledged == [(0, 0)])
        return {
            "taken": case.step.taken,
            "failures": [f"{type(one).__name__}: {one}" for one in case.failures],
            "acknowledged": case.acknowledged,
            "committed": await case.committed(),
        }


async def arrivals(case: Case) -> Seen:
    """Messages that arrive while a checkpoint is being made."""
    flushed: list[list[str]] = []
    let = asyncio.Semaphore(0)

    async def flush(texts: list[str]) -> None:
        flushed.append(texts)
        await let.acquire()

    async with case.running(flush, Pace(3, NEVER_MS)):
        await case.send("a", "b", "c")
        await _until(lambda: len(flushed) == 1)
        before = await case.committed()
        await case.send("d", "e", "f")
        let.release()
        await _until(lambda: len(flushed) == 2)

        async def three() -> bool:
            return await case.committed() == 3

        await _until(three)
        between = list(case.acknowledged)
        let.release()

        async def six() -> bool:
            return await case.committed() == 6

        await _until(six)
        return {"flushed": flushed, "before": before, "between": between, "failures": len(case.failures)}


async def interval(case: Case) -> Seen:
    """Fewer messages than a checkpoint takes, while the checkpoint before is still being made."""
    flushed: list[list[str]] = []
    let = asyncio.Semaphore(0)

    async def flush(texts: list[str]) -> None:
        flushed.append(texts)
        await let.acquire()

    async with case.running(flush, Pace(1_000, 20)):
        await case.send("a")
        await _until(lambda: len(flushed) == 1)
        await case.send("b", "c")
        await _until(lambda: case.step.taken == ["a", "b", "c"])
        acknowledged = list(case.acknowledged)
        let.release()
        await _until(lambda: len(flushed) == 2)
        let.release()

        async def three() -> bool:
            return await case.committed() == 3

        await _until(three)
        return {"flushed": flushed, "acknowledged_before": acknowledged}


async def fills(case: Case) -> Seen:
    """More arrives than may wait, while a checkpoint is being made."""
    text, waited, said = "x" * 262_144, list[int](), list[str]()
    half = 3 * WAITING_BYTES // 2 // len(text)

    async def flush(_: list[str]) -> None:
        if not waited:
            assert case.app is not None
            app = case.app
            await _until(lambda: waiting_bytes(app) > WAITING_BYTES)
            consumer: Any = app.consumer
            consumer._thread.time_started -= 86_400.0
            with _hearing(said):
                await consumer.verify_all_partitions_active()
            await case.send(*[text] * half)
            waited.append(waiting_bytes(app))

    before = [Outgoing(case.name, None, text.encode())] * half
    async with case.running(flush, Pace(1, NEVER_MS), before):

        async def all_of_them() -> bool:
            return await case.committed() == 2 * half

        await _until(all_of_them)
        all_taken = len(case.step.taken) == 2 * half
        return {"waited": waited, "said": said, "sent": 2 * half * len(text), "taken": all_taken}


@contextmanager
def _hearing(said: list[str]) -> Iterator[None]:
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]  # all that is needed
    logger = logging.getLogger("pipeline.agents.faust.transport")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


async def turns(case: Case) -> Seen:
    """Three partitions have a thousand messages each to catch up with."""
    case.partitions = 3
    before = [Outgoing(case.name, b"%d" % number, b"%d" % number) for number in range(3_000)]
    async with case.running(_nothing, Pace(100, 20), before):

        async def all_of_them() -> bool:
            return await case.committed() == len(before)

        await _until(all_of_them)
        partitions = [partition for partition, _ in case.acknowledged]
        return {"first_of_each": sorted(map(partitions.index, set(partitions)))}


async def order(case: Case) -> Seen:
    """Many messages over several partitions, acknowledged checkpoint by checkpoint."""
    case.partitions = 3
    texts = [f"{number}" for number in range(100)]
    async with case.running(_nothing, Pace(7, 20)):
        await case.send(*texts)

        async def all_of_them() -> bool:
            return await case.committed() == len(texts)

        await _until(all_of_them)
        return {"acknowledged": case.acknowledged, "taken": sorted(case.step.taken) == sorted(texts)}


async def retried(case: Case) -> Seen:
    """The store fails twice, then takes the rows."""
    client = FailingClient([OperationalError("away"), OperationalError("still away")])
    retries: list[str] = []
    early: list[int] = []
    with ThreadPoolExecutor(max_workers=1) as executor:
        writer = StoreWriter(client, executor, 1.0, lambda error: retries.append(str(error)))
        async with case.running(lambda texts: writer.write(_batch(texts)), Pace(2, NEVER_MS)):
            await case.send("one", "two")

            async def committed() -> bool:
                found = await case.committed()
                if not client.done:
                    early.append(found)
                return found == 2

            await _until(committed)
    return {
        "retries": retries,
        "tries": len(client.tries),
        "same_rows": all(rows == client.tries[0] for rows in client.tries),
        "rows": [row["session"] for row in client.tries[0]],
        "early": sorted(set(early)),
    }


async def refused(case: Case) -> Seen:
    """The store fails in a way that no second try mends."""
    client = FailingClient([ValueError("not a row")])
    with ThreadPoolExecutor(max_workers=1) as executor:
        writer = StoreWriter(client, executor, 1.0, lambda _: None)
        async with case.running(lambda texts: writer.write(_batch(texts)), Pace(1, NEVER_MS)):
            await case.send("one")
            await _until(lambda: bool(case.failures))
            return {**await _afterwards(case), "tries": len(client.tries)}


def _batch(texts: list[str]) -> Batch:
    return Batch(
        days=[
            SessionDay(SessionKey("acme", "MSTN", "", "production", "pc", "eva", text), 19_000, 1, 2, 1, {}, "", 0, 0)
            for text in texts
        ]
    )


CASES: Final = (
    step_raises,
    flush_raises,
    arrivals,
    interval,
    fills,
    turns,
    order,
    retried,
    refused,
    passed_over,
    passed_over_at_first,
    stands_still,
)


async def _play(cases: Sequence[Callable[[Case], Awaitable[Seen]]]) -> dict[str, Seen]:
    async with EmbeddedBroker() as broker:
        producer = Producer(broker.bootstrap, idempotent=False)
        await producer.start()
        try:
            found = await asyncio.gather(
                *(play(Case(play.__name__.replace("_", "-"), broker.bootstrap, producer)) for play in cases)
            )
        finally:
            await producer.stop()
    return {play.__name__: seen for play, seen in zip(cases, found, strict=True)}


if __name__ == "__main__":
    chosen = [faust_crashes] if "faust_crashes" in sys.argv else CASES
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(_play(chosen))))
