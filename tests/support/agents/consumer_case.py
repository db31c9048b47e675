"""A test case of a ``Consumer``: an agent on a topic of its own, run by any implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aiokafka import TopicPartition

from pipeline.agents.consuming import Agent, Consumer, Fail, Message, Pace, every_partition
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.kafka.group_lag import GroupProgress
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import Topic, create_topics

NEVER_MS: Final = 3_600_000
TURN_S: Final = 0.02
WAIT_S_MAX: Final = 100.0
"""Below the limit of the process that plays the cases, and generous, for a machine under load."""
Seen = dict[str, Any]
Flush = Callable[[list[str]], Awaitable[None]]


class Consume(Protocol):
    """Makes a consumer for an agent."""

    def __call__(self, settings: Settings, agent: Agent[list[str]], fail: Fail) -> Consumer: ...


@dataclass
class Recorder:
    """A step whose output is what it took; ``poison`` makes it raise."""

    taken: list[str] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def take(self, message: Message) -> None:
        text = (message.value or b"").decode()
        self.taken.append(text)
        self.places.append((message.partition, message.offset))
        if text == "poison":
            raise ValueError("the step was told to fail")
        self.waiting.append(text)

    def drain(self) -> list[str]:
        drained, self.waiting = self.waiting, []
        return drained


@dataclass
class Case:
    """An agent on a topic of its own, and what was observed."""

    name: str
    bootstrap: str
    producer: Producer
    consume: Consume
    partitions: int = 1
    reads: Callable[[int], bool] = every_partition
    step: Recorder = field(default_factory=Recorder)
    failures: list[BaseException] = field(default_factory=list)
    announced: list[tuple[frozenset[TopicPartition], int]] = field(default_factory=list)
    consumer: Consumer | None = None

    async def send(self, *texts: str) -> None:
        await self.producer.write(Outgoing(self.name, text.encode(), text.encode()) for text in texts)

    async def committed(self) -> int:
        """The number of committed messages, from the broker."""
        lag = await self._progress.lag()
        return lag.end - lag.behind

    async def committed_of_all(self) -> int:
        """The same, of the partitions that the agent does not read, too."""
        progress = GroupProgress(self.bootstrap, f"case-{self.name}", {self.name: self.partitions}, self.producer.ends)
        await progress.start()
        try:
            lag = await progress.lag()
        finally:
            await progress.stop()
        return lag.end - lag.behind

    async def until_committed(self, messages: int) -> None:
        async def holds() -> bool:
            return await self.committed() == messages

        await until(holds)

    def watch(self, consumer: Consumer) -> None:
        """Called with the consumer before it starts."""
        self.consumer = consumer

    @asynccontextmanager
    async def running(self, flush: Flush, pace: Pace, before: Sequence[Outgoing] = ()) -> AsyncIterator[None]:
        """Run the agent; messages ``before`` are in the log when it starts."""
        settings = Settings(
            kafka_bootstrap=self.bootstrap, app_id="case", fetch_wait_ms=50, session_timeout_s=3,
            rebalance_timeout_s=3, commit_interval_ms=50, topics="embedded",
        )  # fmt: skip
        await create_topics(self.bootstrap, [Topic(self.name, self.partitions, 1, {})], with_config=False)
        await self.producer.write(before)

        def announce(assigned: frozenset[TopicPartition]) -> None:
            self.announced.append((assigned, len(self.step.taken)))

        agent = Agent(self.name, (self.name,), self.step, flush, pace, reads=self.reads, on_assigned=announce)
        consumer = self.consume(settings, agent, self.failures.append)
        self.watch(consumer)
        self._progress = GroupProgress(
            self.bootstrap, f"case-{self.name}", {self.name: self.partitions}, self.producer.ends, self.reads
        )
        try:
            await self._progress.start()
            await consumer.start()
            yield
        finally:
            await consumer.stop()
            await self._progress.stop()

    async def let_others_commit(self) -> None:
        """Wait until another agent, which never fails, has processed and committed a message."""
        clock = Case(f"{self.name}-clock", self.bootstrap, self.producer, self.consume)
        async with clock.running(flush_nothing, Pace(1, 20)):
            await clock.send("tick")
            await clock.until_committed(1)

    def failed_with(self) -> list[str]:
        return [f"{type(error).__name__}: {error}".replace(self.name, "TOPIC") for error in self.failures]


async def until(holds: Callable[[], bool] | Callable[[], Coroutine[object, object, bool]]) -> None:
    """Wait for a condition. Raises ``TimeoutError``."""
    async with asyncio.timeout(WAIT_S_MAX):
        while True:
            held = holds()
            if await held if asyncio.iscoroutine(held) else held:
                return
            await asyncio.sleep(TURN_S)


async def flush_nothing(_: list[str]) -> None:
    return None


async def play_all(
    cases: Sequence[Callable[[Any], Awaitable[Seen]]], case_type: type[Case], consume: Consume
) -> dict[str, Seen]:
    """Play cases concurrently on a broker; the observations of each, by its name."""
    async with EmbeddedBroker() as broker:
        producer = Producer(broker.bootstrap, idempotent=False)
        await producer.start()
        try:
            seen = await asyncio.gather(
                *(play(case_type(_topic(play), broker.bootstrap, producer, consume)) for play in cases)
            )
        finally:
            await producer.stop()
    return {_name(play): saw for play, saw in zip(cases, seen, strict=True)}


def _name(play: Callable[[Any], Awaitable[Seen]]) -> str:
    return str(getattr(play, "__name__", ""))


def _topic(play: Callable[[Any], Awaitable[Seen]]) -> str:
    return _name(play).replace("_", "-")
