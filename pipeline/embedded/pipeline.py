"""The whole pipeline in one process: embedded broker, real Faust agents, the ClickHouse engine in process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

import faust

from pipeline.agents.meter import build_meter
from pipeline.agents.producer import Producer
from pipeline.agents.progress import GroupProgress, drained
from pipeline.agents.seats import Seats, build_seats
from pipeline.agents.settings import Settings
from pipeline.agents.sink import StoreWriter, build_sink
from pipeline.agents.topics import DENIALS, HEARTBEATS, HEARTBEATS_DLQ, USAGE, create_topics, topics
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.policy.catalogue import metering_catalogue
from pipeline.store.client import Client, connect
from pipeline.store.contracts import store_policies
from pipeline.store.migrations import migrate

Answer = TypeVar("Answer")
CHECKPOINT_MS: Final = 100
FETCH_WAIT_MS: Final = 50


class PipelineFailed(Exception):
    """An agent ended by an exception, which is the cause; nothing was acknowledged that is not stored."""


class EmbeddedPipeline:
    """Broker, meter, sink and, on request, seats. ``async with`` starts them all and leaves nothing running."""

    def __init__(self, data_dir: Path, log_id: str, seats: Seats | None = None) -> None:
        self._data_dir, self._log_id, self._seats = data_dir, log_id, seats
        self._stack = AsyncExitStack()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._failure: asyncio.Future[None]
        self._client: Client
        self._groups: list[GroupProgress] = []
        self.producer: Producer
        self.partitions: dict[str, int] = {one.name: one.partitions for one in topics("embedded")}

    async def __aenter__(self) -> EmbeddedPipeline:
        self._failure = asyncio.get_running_loop().create_future()
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        self._stack.callback(self._executor.shutdown)
        opening = asyncio.ensure_future(self.ask(self._open_store))
        try:
            broker = await self._stack.enter_async_context(EmbeddedBroker())
            await create_topics(broker.bootstrap, topics("embedded"), with_config=False)
            self.producer = Producer(broker.bootstrap, idempotent=False)
            await self.producer.start()
            self._stack.push_async_callback(self.producer.stop)
        finally:
            self._client = await opening
            self._stack.push_async_callback(self.ask, self._close_store)
        await asyncio.gather(*(self._start_app(app) for app in self._apps(self._settings(broker.bootstrap))))
        await self._watch(broker.bootstrap)

    def _apps(self, settings: Settings) -> list[faust.App]:
        writer = StoreWriter(self._client, self._executor, settings.store_retry_max_s, self._give_up)
        apps = [build_meter(settings, self.producer, self._fail), build_sink(settings, writer, self._fail)]
        if self._seats is not None:
            apps.append(build_seats(settings, self._seats, self._client, self._executor, self._fail))
        return apps

    async def _watch(self, bootstrap: str) -> None:
        reads = {"meter": (HEARTBEATS,), "sink": (USAGE, HEARTBEATS_DLQ, DENIALS)}
        if self._seats is not None:
            reads["seats"] = (USAGE,)
        for role, names in reads.items():
            group = GroupProgress(bootstrap, f"seatbeat-{role}", {name: self.partitions[name] for name in names})
            await group.start()
            self._stack.push_async_callback(group.stop)
            self._groups.append(group)

    async def _start_app(self, app: faust.App) -> None:
        self._stack.push_async_callback(app.stop)
        await app.start()

    def _settings(self, bootstrap: str) -> Settings:
        return Settings(
            kafka_bootstrap=bootstrap,
            clickhouse_dsn=f"chdb://{self._data_dir}",
            log_id=self._log_id,
            meter_checkpoint_ms=CHECKPOINT_MS,
            sink_checkpoint_ms=CHECKPOINT_MS,
            commit_interval_ms=CHECKPOINT_MS,
            fetch_wait_ms=FETCH_WAIT_MS,
            session_timeout_s=3,
            rebalance_timeout_s=3,
            topics="embedded",
        )

    def _open_store(self) -> Client:
        client = connect(f"chdb://{self._data_dir}")
        migrate(client)
        store_policies(client, metering_catalogue())
        return client

    async def ask(self, question: Callable[..., Answer], *arguments: object) -> Answer:
        """Run something on the store's own thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, question, *arguments)

    async def ask_store(self, question: Callable[..., Answer], *arguments: object) -> Answer:
        """Ask the store something: ``question(client, *arguments)``."""
        return await self.ask(question, self._client, *arguments)

    async def unless_failed(self, work: Coroutine[object, object, Answer]) -> Answer:
        """The result of some work. Raises ``PipelineFailed`` as soon as an agent has failed."""
        task = asyncio.ensure_future(work)
        try:
            either: set[asyncio.Future[Answer] | asyncio.Future[None]] = {task, self._failure}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done():
                raise PipelineFailed(repr(self._failure.exception())) from self._failure.exception()
            return await task
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def drained(self, heard: Callable[[str, int, int], None]) -> None:
        """Wait until every agent has committed the end of its topics, which it does after everything is stored."""
        await drained(self._groups, heard)

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)

    def _give_up(self, error: Exception) -> None:
        """The engine is in this process: what it refuses once (a full disk, say) it will refuse again."""
        self._fail(error)

    def _close_store(self) -> None:
        self._client.close()
