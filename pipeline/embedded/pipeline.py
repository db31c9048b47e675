"""The whole pipeline in one process: embedded broker, the same agents as in production, the ClickHouse engine.

It ends whatever happens: a broker or an agent that ends by itself, and a time in which nothing moves, are failures
like any other, and a part that does not stop in time is left behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from pipeline.agents.consuming import Agent, Consumer, Fail
from pipeline.agents.faust.consumer import consume
from pipeline.agents.live.live_counts import LiveCounts
from pipeline.agents.live.seats_agent import SeatsAgent
from pipeline.agents.meter import meter_agent
from pipeline.agents.sink import sink_agent
from pipeline.embedded.bounded_waits import even_if_cancelled, retrieve_error, within
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.embedded.embedded_settings import embedded_settings
from pipeline.embedded.failures import PartFailed, one_line
from pipeline.embedded.meter_process import Work
from pipeline.embedded.second_meter import SecondMeter
from pipeline.embedded.shared_meter import shared
from pipeline.embedded.watch import Watch, WatchedProducer, WatchedStore
from pipeline.kafka.group_lag import GroupProgress, drained
from pipeline.kafka.producer import Producer
from pipeline.kafka.topics import CONTRACTS, create_topics, topics
from pipeline.store.client import Client, StoreError
from pipeline.store.migrations import MigrationChanged
from pipeline.store.opening import open_folder

Answer = TypeVar("Answer")
STILL_S_MAX: Final = 60.0
STOP_S_MAX: Final = 10.0
STOP_WITHOUT_BROKER_S_MAX: Final = 3.0

_EXPECTED: Final = (PartFailed, KafkaError, StoreError, MigrationChanged)


class PipelineFailed(Exception):
    """Why the pipeline could not go on, as a text for people; nothing was acknowledged that is not stored."""


class EmbeddedPipeline:
    """Broker, meter, sink and, with ``counts``, seats. ``async with`` starts them all and leaves nothing running.

    ``async with`` raises ``StoreUnreachable`` where ``data_dir`` cannot be opened, and ``PipelineFailed``.
    """

    def __init__(
        self,
        data_dir: Path,
        log_id: str,
        counts: LiveCounts | None = None,
        *,
        still_s_max: float = STILL_S_MAX,
        on_failure: Fail = lambda _: None,
        meters: Literal[1, 2] = 1,
    ) -> None:
        self._on_failure = on_failure
        self._data_dir, self._log_id, self._counts = data_dir, log_id, counts
        self._seats: SeatsAgent | None = None
        self._second = SecondMeter(self._fail) if meters == 2 else None
        self._broker = EmbeddedBroker()
        self._watch = Watch(self._broker, still_s_max)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._running = AsyncExitStack()
        self._client: Client | None = None
        self._consumers = list[Consumer]()
        self._metering, self._storing = list[GroupProgress](), list[GroupProgress]()
        self._failure: asyncio.Future[None]
        self._agents: asyncio.Future[None] | None = None
        self.producer: Producer
        self.partitions: dict[str, int] = {topic.name: topic.partitions for topic in topics("embedded")}

    async def __aenter__(self) -> EmbeddedPipeline:
        self._failure = asyncio.get_running_loop().create_future()
        self._failure.add_done_callback(retrieve_error)
        try:
            await self.unless_failed(self._start())
        except BaseException:
            await self._stop(in_order=False)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop(in_order=kind is None and not self._failure.done())

    @property
    def bootstrap(self) -> str:
        """The broker's address."""
        return self._broker.bootstrap

    async def _start(self) -> None:
        """Broker, topics and store. Agents join their groups meanwhile: what is written before waits in the log."""
        if self._second is not None:
            await self._second.start()
        opening = asyncio.ensure_future(self.ask(self._open_store))
        try:
            await self._broker.__aenter__()
            await create_topics(self.bootstrap, topics("embedded"), with_config=False)
            self.producer = WatchedProducer(self.bootstrap, self._watch)
            self._running.push_async_callback(self.producer.stop)
            await self.producer.start()
        finally:
            await even_if_cancelled(opening)
        call = WatchedStore(opening.result(), self._executor, self._watch)
        self._agents = asyncio.ensure_future(self._start_agents(call))
        self._agents.add_done_callback(self._fail_with)

    async def _start_agents(self, call: WatchedStore) -> None:
        settings = embedded_settings(self.bootstrap, self._log_id, much=self._second is not None)
        meters = [meter_agent(settings, self.producer)]
        if self._second is not None:
            self._second.begin(Work(self.bootstrap, self._log_id))
            meters = [shared(meters[0], "first"), shared(meters[0], "second")]
        storing: list[Agent[Any]] = [sink_agent(settings, call)]
        if self._counts is not None:
            self._seats = SeatsAgent(settings, self._counts, call, self._fail)
            storing.append((await self._running.enter_async_context(self._seats)).agent)
        self._consumers += [consume(settings, agent, self._fail) for agent in (meters[0], *storing)]
        self._running.push_async_callback(self._stop_agents)
        await asyncio.gather(*(consumer.start() for consumer in self._consumers))
        self._metering += [await self._follow(meter) for meter in meters]
        self._storing += [await self._follow(agent) for agent in storing]

    async def _stop_agents(self) -> None:
        await asyncio.gather(*(consumer.stop() for consumer in self._consumers))

    async def _follow(self, agent: Agent[Any]) -> GroupProgress:
        partitions = {name: self.partitions[name] for name in agent.topics}
        group = GroupProgress(self.bootstrap, f"seatbeat-{agent.role}", partitions, self.producer.ends, agent.reads)
        self._running.push_async_callback(group.stop)
        await group.start()
        return group

    def _open_store(self) -> Client:
        self._client = open_folder(self._data_dir)
        return self._client

    async def ask(self, question: Callable[..., Answer], *arguments: object) -> Answer:
        """Run something on the store's own thread."""
        with self._watch.busy():
            return await asyncio.get_running_loop().run_in_executor(self._executor, question, *arguments)

    async def ask_store(self, question: Callable[..., Answer], *arguments: object) -> Answer:
        """Ask the store something: ``question(client, *arguments)``."""
        return await self.ask(question, self._client, *arguments)

    async def unless_failed(self, work: Coroutine[object, object, Answer]) -> Answer:
        """The result of ``work``. Raises ``PipelineFailed`` as soon as broker, agents or store fail or stand still."""
        task, watch = asyncio.ensure_future(work), asyncio.ensure_future(self._watch_over())
        try:
            either: set[asyncio.Future[Answer] | asyncio.Future[None]] = {task, self._failure}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done() and (reason := self._failure.exception()) is not None:
                raise PipelineFailed(one_line(reason)) from reason
            return await task
        except _EXPECTED as error:
            self._fail(error)
            raise PipelineFailed(one_line(error)) from error
        finally:
            task.cancel()
            watch.cancel()
            await within(STOP_S_MAX, asyncio.gather(task, watch, return_exceptions=True))

    async def drained(self, heard: Callable[[str, int, int], None]) -> None:
        """Wait until every agent has committed all that ``producer`` wrote, which it does once everything is stored.

        And until live counts have heard of every contract.
        """
        last = ("", 0, 0)

        def note_and_hear(group: str, done: int, end: int) -> None:
            nonlocal last
            if last != (group, done, end):
                last = (group, done, end)
                self._watch.moved()
            heard(group, done, end)

        if self._agents is not None:
            await self._agents
        await drained(self._metering, note_and_hear)
        if self._second is not None:
            for place, end in (await self._second.ends()).items():
                self.producer.ends[place] = max(end, self.producer.ends.get(place, 0))
        await drained(self._storing, note_and_hear)
        if self._seats is not None:
            await self._seats.contracts.reached(self.producer.ends.get(TopicPartition(CONTRACTS, 0), 0))

    async def _watch_over(self) -> None:
        self._fail(await self._watch.trouble())

    async def _stop(self, *, in_order: bool) -> None:
        """Stop agents, broker, store. Out of order the broker ends first, so that nothing waits for its answers.

        Without a broker some parts of the clients never end: a commit is repeated forever. Clients that are still
        starting are waited for, as each would print a traceback from a thread of its own.
        """
        try:
            if not in_order:
                if self._agents is not None and self._broker.exit_status is None:
                    await asyncio.wait({self._agents}, timeout=STOP_WITHOUT_BROKER_S_MAX)
                for name in ("aiokafka", "asyncio"):
                    logging.getLogger(name).setLevel(logging.CRITICAL)
                self._end_processes()
            await within(STOP_S_MAX if in_order else STOP_WITHOUT_BROKER_S_MAX, self._stop_running())
        finally:
            self._end_processes()
            closing: asyncio.Future[None] = asyncio.wrap_future(self._executor.submit(self._close_store))
            self._executor.shutdown(wait=False)
            await within(STOP_S_MAX, closing)

    def _end_processes(self) -> None:
        self._broker.end()
        if self._second is not None:
            self._second.end()

    async def _stop_running(self) -> None:
        if self._agents is not None:
            self._agents.cancel()
            await asyncio.wait({self._agents})
        if self._second is not None:
            await self._second.stop()
        await self._running.aclose()

    def _close_store(self) -> None:
        if self._client is not None:
            self._client.close()

    def _fail(self, error: BaseException) -> None:
        """From any thread; the first error counts."""
        self._on_failure(error)
        with suppress(RuntimeError):  # the event loop is closed: everything has ended
            self._failure.get_loop().call_soon_threadsafe(self._failed, error)

    def _fail_with(self, agents: asyncio.Future[None]) -> None:
        if not agents.cancelled() and (error := agents.exception()) is not None:
            self._fail(error)

    def _failed(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)
