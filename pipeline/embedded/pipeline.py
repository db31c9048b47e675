"""The whole pipeline in one process: embedded broker, the same agents as in production, the ClickHouse engine.

It ends whatever happens: a broker or an agent that ends by itself, and a time in which nothing moves, are failures
like any other, and a part that does not stop in time is left behind.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from pipeline.agents.consuming import Agent, Consumer, Fail
from pipeline.agents.faust.consumer import consume
from pipeline.agents.live.live_counts import LiveCounts
from pipeline.agents.live.seats_agent import SeatsAgent
from pipeline.agents.meter import meter_agent
from pipeline.agents.sink import sink_agent
from pipeline.embedded.broker import BrokerDidNotStart, EmbeddedBroker
from pipeline.embedded.watch import BrokerEnded, StoodStill, Watch, WatchedProducer, WatchedStore
from pipeline.kafka.group_lag import GroupProgress, drained
from pipeline.kafka.producer import Producer
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import CONTRACTS, create_topics, topics
from pipeline.store.client import Client, StoreError
from pipeline.store.migrations import MigrationChanged
from pipeline.store.opening import open_folder

Answer = TypeVar("Answer")
CHECKPOINT_MS: Final = 100
FETCH_WAIT_MS: Final = 50
STILL_S_MAX: Final = 60.0
STOP_S_MAX: Final = 10.0
STOP_WITHOUT_BROKER_S_MAX: Final = 3.0

_EXPECTED: Final = (BrokerDidNotStart, KafkaError, StoreError, MigrationChanged)
_SELF_EXPLAINING: Final = (BrokerDidNotStart, BrokerEnded, StoodStill, MigrationChanged)


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
    ) -> None:
        self._on_failure = on_failure
        self._data_dir, self._log_id, self._counts = data_dir, log_id, counts
        self._seats: SeatsAgent | None = None
        self._broker = EmbeddedBroker()
        self._watch = Watch(self._broker, still_s_max)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._running = AsyncExitStack()
        self._failure: asyncio.Future[None]
        self._client: Client | None = None
        self._consumers: list[Consumer] = []
        self._groups: list[GroupProgress] = []
        self.producer: Producer
        self.partitions: dict[str, int] = {topic.name: topic.partitions for topic in topics("embedded")}

    async def __aenter__(self) -> EmbeddedPipeline:
        self._failure = asyncio.get_running_loop().create_future()
        self._failure.add_done_callback(_retrieve_error)
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
        opening = asyncio.ensure_future(self.ask(self._open_store))
        try:
            await self._broker.__aenter__()
            await create_topics(self.bootstrap, topics("embedded"), with_config=False)
            self.producer = WatchedProducer(self.bootstrap, self._watch)
            self._running.push_async_callback(self.producer.stop)
            await self.producer.start()
        finally:
            await _even_if_cancelled(opening)
        await self._start_agents(self._settings(), WatchedStore(opening.result(), self._executor, self._watch))

    async def _start_agents(self, settings: Settings, call: WatchedStore) -> None:
        agents: list[Agent[Any]] = [meter_agent(settings, self.producer), sink_agent(settings, call)]
        if self._counts is not None:
            self._seats = SeatsAgent(settings, self._counts, call, self._fail)
            agents.append((await self._running.enter_async_context(self._seats)).agent)
        self._consumers += [consume(settings, agent, self._fail) for agent in agents]
        self._running.push_async_callback(self._stop_agents)
        await asyncio.gather(*(consumer.start() for consumer in self._consumers))
        for agent in agents:
            await self._follow(agent.role, agent.topics)

    async def _stop_agents(self) -> None:
        await asyncio.gather(*(consumer.stop() for consumer in self._consumers))

    async def _follow(self, role: str, names: tuple[str, ...]) -> None:
        partitions = {name: self.partitions[name] for name in names}
        group = GroupProgress(self.bootstrap, f"seatbeat-{role}", partitions, self.producer.ends)
        self._running.push_async_callback(group.stop)
        await group.start()
        self._groups.append(group)

    def _settings(self) -> Settings:
        return Settings(
            kafka_bootstrap=self.bootstrap,
            log_id=self._log_id,
            quarantine_letters=sys.maxsize,
            meter_checkpoint_ms=CHECKPOINT_MS,
            sink_checkpoint_ms=CHECKPOINT_MS,
            seats_rebuild_after_ms=1,
            commit_interval_ms=CHECKPOINT_MS,
            fetch_wait_ms=FETCH_WAIT_MS,
            session_timeout_s=3,
            rebalance_timeout_s=3,
            topics="embedded",
        )

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
                raise PipelineFailed(_one_line(reason)) from reason
            return await task
        except _EXPECTED as error:
            self._fail(error)
            raise PipelineFailed(_one_line(error)) from error
        finally:
            task.cancel()
            watch.cancel()
            await _within(STOP_S_MAX, asyncio.gather(task, watch, return_exceptions=True))

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

        await drained(self._groups, note_and_hear)
        if self._seats is not None:
            await self._seats.contracts.reached(self.producer.ends.get(TopicPartition(CONTRACTS, 0), 0))

    async def _watch_over(self) -> None:
        self._fail(await self._watch.trouble())

    async def _stop(self, *, in_order: bool) -> None:
        """Stop agents, broker, store. Out of order the broker ends first, so that nothing waits for its answers.

        Without a broker some parts of the clients never end: a commit is repeated forever.
        """
        try:
            if not in_order:
                for name in ("aiokafka", "asyncio"):
                    logging.getLogger(name).setLevel(logging.CRITICAL)
                self._broker.end()
            await _within(STOP_S_MAX if in_order else STOP_WITHOUT_BROKER_S_MAX, self._running.aclose())
        finally:
            self._broker.end()
            closing: asyncio.Future[None] = asyncio.wrap_future(self._executor.submit(self._close_store))
            self._executor.shutdown(wait=False)
            await _within(STOP_S_MAX, closing)

    def _close_store(self) -> None:
        if self._client is not None:
            self._client.close()

    def _fail(self, error: BaseException) -> None:
        """From any thread; the first error counts."""
        self._on_failure(error)
        with suppress(RuntimeError):  # the event loop is closed: everything has ended
            self._failure.get_loop().call_soon_threadsafe(self._failed, error)

    def _failed(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)


async def _within(seconds: float, ending: Awaitable[object]) -> None:
    """Wait for an end at most so long; a part that has not ended by then is left behind."""
    task = asyncio.ensure_future(ending)
    await asyncio.wait({task}, timeout=seconds)
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        logging.getLogger(__name__).error("%s while the pipeline was stopping", _one_line(error))


async def _even_if_cancelled(future: asyncio.Future[Answer]) -> None:
    """Wait even if cancelled: a store that is being opened must be open before it can be closed."""
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait({future})
        raise


def _retrieve_error(failure: asyncio.Future[None]) -> None:
    """Or asyncio would report an error that nobody retrieved, such as a failure while everything stops."""
    if not failure.cancelled():
        failure.exception()


def _one_line(error: BaseException) -> str:
    """An error in a line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    kind = error.kind if isinstance(error, StoreError) else type(error).__name__
    text = str(error) if isinstance(error, _SELF_EXPLAINING) else f"{kind}: {error}"
    return text.partition("\n")[0][:500]
