"""The whole pipeline in one process: embedded broker, real Faust agents, the ClickHouse engine in process.

It comes to an end whatever happens: a broker or an agent that ends by itself, and a time in which nothing moves, are
failures like any other, and what does not stop in time when it is told to is left behind.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

import faust
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.agents.live.seats_agent import LiveCounts, build_seats
from pipeline.agents.meter import build_meter
from pipeline.agents.sink import SINK_TOPICS, build_sink
from pipeline.embedded.broker import BrokerDidNotStart, EmbeddedBroker
from pipeline.embedded.folder import open_folder
from pipeline.embedded.watch import BrokerEnded, StoodStill, Watch, WatchedProducer, WatchedWriter
from pipeline.kafka.group_lag import GroupProgress, drained
from pipeline.kafka.producer import Producer
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import HEARTBEATS, USAGE, create_topics, topics
from pipeline.store.client import Client
from pipeline.store.migrations import MigrationChanged

Answer = TypeVar("Answer")
CHECKPOINT_MS: Final = 100
FETCH_WAIT_MS: Final = 50
STILL_S_MAX: Final = 60.0
STOP_S_MAX: Final = 10.0
STOP_WITHOUT_BROKER_S_MAX: Final = 3.0

_READS: Final = {"meter": (HEARTBEATS,), "sink": SINK_TOPICS["sink"], "seats": (USAGE,)}
_EXPECTED: Final = (BrokerDidNotStart, KafkaError, ClickHouseError, MigrationChanged)
_SAY_IT_ALL: Final = (BrokerDidNotStart, BrokerEnded, StoodStill, MigrationChanged)


class PipelineFailed(Exception):
    """Why the pipeline could not go on, in words for people; nothing was acknowledged that is not stored."""


class EmbeddedPipeline:
    """Broker, meter, sink and, on request, seats. ``async with`` starts them all and leaves nothing running.

    ``async with`` raises ``StoreUnreachable`` where ``data_dir`` cannot be opened, and ``PipelineFailed``.
    """

    def __init__(
        self, data_dir: Path, log_id: str, seats: LiveCounts | None = None, *, still_s_max: float = STILL_S_MAX
    ) -> None:
        self._data_dir, self._log_id, self._seats = data_dir, log_id, seats
        self._broker = EmbeddedBroker()
        self._watch = Watch(self._broker, still_s_max)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._running = AsyncExitStack()
        self._failure: asyncio.Future[None]
        self._client: Client | None = None
        self._agents: list[faust.App] = []
        self._groups: list[GroupProgress] = []
        self.producer: Producer
        self.partitions: dict[str, int] = {one.name: one.partitions for one in topics("embedded")}

    async def __aenter__(self) -> EmbeddedPipeline:
        self._failure = asyncio.get_running_loop().create_future()
        self._failure.add_done_callback(_taken_note_of)
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

    @property
    def broker_process_id(self) -> int | None:
        return self._broker.process_id

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
        self._running.push_async_callback(self._stop_apps)
        self._agents += self._apps(self._settings(), opening.result())
        await asyncio.gather(*(app.start() for app in self._agents))
        for role, names in _READS.items():
            if role != "seats" or self._seats is not None:
                await self._follow(role, names)

    def _apps(self, settings: Settings, client: Client) -> Iterator[faust.App]:
        yield build_meter(settings, self.producer, self._fail)
        yield build_sink(settings, WatchedWriter(client, self._executor, self._watch), self._fail)
        if self._seats is not None:
            yield build_seats(settings, self._seats, client, self._executor, self._fail)

    async def _stop_apps(self) -> None:
        await asyncio.gather(*(app.stop() for app in self._agents))

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
        """The result of some work. Raises ``PipelineFailed`` as soon as broker, agents or store fail or stand still."""
        task, watch = asyncio.ensure_future(work), asyncio.ensure_future(self._watch_over())
        try:
            either: set[asyncio.Future[Answer] | asyncio.Future[None]] = {task, self._failure}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done() and (reason := self._failure.exception()) is not None:
                raise PipelineFailed(_told(reason)) from reason
            return await task
        except _EXPECTED as error:
            self._fail(error)
            raise PipelineFailed(_told(error)) from error
        finally:
            for one in (task, watch):
                one.cancel()
            await _within(STOP_S_MAX, asyncio.gather(task, watch, return_exceptions=True))

    async def drained(self, heard: Callable[[str, int, int], None]) -> None:
        """Wait until every agent has committed all that ``producer`` wrote, which it does once everything is stored."""
        last = ("", 0, 0)

        def told(group: str, done: int, end: int) -> None:
            nonlocal last
            if last != (group, done, end):
                last = (group, done, end)
                self._watch.moved()
            heard(group, done, end)

        await drained(self._groups, told)

    async def _watch_over(self) -> None:
        self._fail(await self._watch.trouble())

    async def _stop(self, *, in_order: bool) -> None:
        """Stop agents, broker, store. Out of order the broker ends first, so that nobody waits for its answers.

        Not everything in the clients ends without a broker: a commit, for one, is tried again and again.
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
        if not self._failure.done():
            self._failure.set_exception(error)


async def _within(seconds: float, ending: Awaitable[object]) -> None:
    """Let something end; what has not ended in time is left behind."""
    task = asyncio.ensure_future(ending)
    await asyncio.wait({task}, timeout=seconds)
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        logging.getLogger(__name__).error("%s while the pipeline was stopping", _told(error))


async def _even_if_cancelled(future: asyncio.Future[Answer]) -> None:
    """Wait for something in any case: a store that is being opened must be there to be closed."""
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait({future})
        raise


def _taken_note_of(failure: asyncio.Future[None]) -> None:
    """A failure while everything stops is no news."""
    if not failure.cancelled():
        failure.exception()


def _told(error: BaseException) -> str:
    """An error in a line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = str(error) if isinstance(error, _SAY_IT_ALL) else f"{type(error).__name__}: {error}"
    return text.partition("\n")[0][:500]
