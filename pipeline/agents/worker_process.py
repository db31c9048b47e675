"""A worker process: some roles, one store, one producer; it ends when told to, or when an agent fails."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import faust

from pipeline.agents.completeness_mark import keep_mark, stages
from pipeline.agents.faust.checkpoint import Fail, Made
from pipeline.agents.health.monitor import Monitor, epoch_ms, serve_health
from pipeline.agents.live.seats_agent import LiveCounts, build_seats
from pipeline.agents.meter import JudgedMessage, build_meter
from pipeline.agents.sink import SINK_TOPICS, StoreWriter, build_sink
from pipeline.agents.store_questions import Asking
from pipeline.agents.tokens.bookkeeper import Bookkeeper
from pipeline.agents.tokens.ticks import Ticks
from pipeline.agents.tokens.tokens_agent import build_tokens
from pipeline.application.token_reading import accounts_with_tokens
from pipeline.codec.contract.examination import load_contract
from pipeline.kafka.producer import Producer
from pipeline.kafka.ranges import Ranges
from pipeline.kafka.settings import Settings
from pipeline.model.contracts import Contract
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client, connect
from pipeline.store.completeness_marks import ALL_ACCOUNTS
from pipeline.store.facts import write_completeness

ROLES: Final = ("meter", "sink", "quarantine", "seats", "tokens")
log = logging.getLogger(__name__)


async def work(settings: Settings, roles: tuple[str, ...]) -> BaseException | None:
    """Run roles until SIGTERM or SIGINT, or until one fails: then its error is returned.

    Raises ``StoreUnreachable`` and ``InputError`` before anything runs.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[BaseException | None] = loop.create_future()

    def end(error: BaseException | None) -> None:
        if not ended.done():
            ended.set_result(error)

    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, end, None)
    async with AsyncExitStack() as stack:
        worker = _Worker(settings, roles, end, stack)
        await worker.start()
        log.info("working as %s", ", ".join(roles))
        return await ended


class _Worker:
    def __init__(self, settings: Settings, roles: tuple[str, ...], fail: Fail, stack: AsyncExitStack) -> None:
        self._settings, self._roles, self._fail, self._stack = settings, roles, fail, stack
        self._monitor = Monitor(roles, settings.stall_s * 1000)
        self._quarantined: frozenset[str] = frozenset()

    async def start(self) -> None:
        if self._settings.health_address:
            runner = await serve_health(self._monitor, self._settings.health_address)
            self._stack.push_async_callback(runner.cleanup)
        apps: dict[str, faust.App] = {}
        ping: Callable[[], Awaitable[None]] | None = None
        marking: Callable[[], Awaitable[None]] | None = None
        if "meter" in self._roles:
            apps["meter"] = await self._meter()
        if set(self._roles) - {"meter"}:
            client, executor = await self._store()
            ping = _pinger(client, executor)
            apps |= self._readers(client, executor)
            if "tokens" in self._roles:
                apps["tokens"] = await self._tokens(client, executor)
            marking = await self._marker(client, executor) if "sink" in self._roles else None
        for app in apps.values():
            self._stack.push_async_callback(app.stop)
        await asyncio.gather(*(app.start() for app in apps.values()))
        watching = asyncio.create_task(self._monitor.watch(self._settings.kafka_bootstrap, apps, ping))
        watching.add_done_callback(self._watch_ended)
        self._stack.callback(watching.cancel)
        if marking is not None:
            keeping = asyncio.ensure_future(marking())
            keeping.add_done_callback(self._watch_ended)
            self._stack.callback(keeping.cancel)

    async def _meter(self) -> faust.App:
        producer = await self._producer()
        return build_meter(self._settings, producer, self._fail, self._monitor.made("meter"), self._judged)

    async def _producer(self) -> Producer:
        producer = Producer(self._settings.kafka_bootstrap)
        await producer.start()
        self._stack.push_async_callback(producer.stop)
        return producer

    async def _tokens(self, client: Client, executor: ThreadPoolExecutor) -> faust.App:
        settings, made = self._settings, self._monitor.made("tokens")
        stored, postings = [
            await self._stack.enter_async_context(Ranges(settings.kafka_bootstrap, f"{settings.app_id}-sink"))
            for _ in range(2)
        ]
        ask = Asking(client, executor, settings.store_retry_max_s, self._retrying)
        bookkeeper = Bookkeeper(settings.log_id, stored, postings, await self._producer(), ask)

        def observe(checkpoint: Made) -> None:
            made(checkpoint)
            self._monitor.metrics.tokens_available(sum(bookkeeper.available.values()))

        return build_tokens(settings, bookkeeper, self._fail, observe)

    async def _store(self) -> tuple[Client, ThreadPoolExecutor]:
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._stack.callback(executor.shutdown)
        loop = asyncio.get_running_loop()
        client = await loop.run_in_executor(executor, connect, self._settings.clickhouse_dsn)
        self._stack.callback(client.close)
        return client, executor

    def _readers(self, client: Client, executor: ThreadPoolExecutor) -> dict[str, faust.App]:
        apps = {}
        for role in self._roles:
            if role in SINK_TOPICS:
                writer = StoreWriter(client, executor, self._settings.store_retry_max_s, self._retrying)
                apps[role] = build_sink(self._settings, writer, self._fail, self._monitor.made(role), role)
        if "seats" in self._roles:
            seats = LiveCounts(_readings(self._settings.contracts))
            observe = self._monitor.made("seats")
            apps["seats"] = build_seats(self._settings, seats, client, executor, self._fail, observe)
        return apps

    async def _marker(self, client: Client, executor: ThreadPoolExecutor) -> Callable[[], Awaitable[None]]:
        """Keeps the completeness mark of this log in the store, and in the log of commands, for as long as it runs."""
        loop = asyncio.get_running_loop()

        async def accounts() -> list[str]:
            return await loop.run_in_executor(executor, accounts_with_tokens, client)

        ticks = Ticks(await self._producer(), accounts)

        async def write(mark: int) -> None:
            log_id = self._settings.log_id
            await loop.run_in_executor(executor, write_completeness, client, ALL_ACCOUNTS, log_id, mark)
            self._monitor.metrics.complete_until(mark)
            await ticks.give(mark)

        return lambda: keep_mark(self._settings.kafka_bootstrap, stages(self._settings.app_id), epoch_ms, write)

    def _judged(self, judged: JudgedMessage) -> None:
        self._monitor.metrics.judged(judged.valid, judged.invalid)
        self._monitor.metrics.quarantined(len(judged.quarantined))
        for account in sorted(judged.quarantined - self._quarantined):
            log.warning("account %s floods with dead letters: they go into quarantine", account or "without a name")
        for account in sorted(self._quarantined - judged.quarantined):
            log.warning("account %s has left quarantine", account or "without a name")
        self._quarantined = judged.quarantined

    def _retrying(self, error: Exception) -> None:
        self._monitor.metrics.store_error(type(error).__name__)
        log.warning("the store refused a write, which is tried again: %s", type(error).__name__)

    def _watch_ended(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)


def _pinger(client: Client, executor: ThreadPoolExecutor) -> Callable[[], Awaitable[None]]:
    async def ping() -> None:
        await asyncio.get_running_loop().run_in_executor(executor, client.command, "SELECT 1")

    return ping


def _readings(folder: str) -> Callable[[str], ContractReading]:
    contracts = {one.account: one for one in map(load_contract, sorted(Path(folder).glob("*.yaml")))} if folder else {}

    def reading_of(account: str) -> ContractReading:
        contract = contracts.get(account) or Contract(account, country="", currency="EUR", content_hash="")
        return ContractReading(contract, metering_catalogue())

    return reading_of
