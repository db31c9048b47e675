"""A worker process: some roles and one store; it ends when it gets a signal, or when an agent fails."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Final

from pipeline.agents.completeness_mark import keep_mark, stages
from pipeline.agents.consuming import CheckpointMade, Consumer, Fail
from pipeline.agents.faust.consumer import consume
from pipeline.agents.health.monitor import Monitor, serve_health
from pipeline.agents.last_resort import LastResort
from pipeline.agents.live.live_counts import LiveCounts
from pipeline.agents.live.seats_agent import SeatsAgent
from pipeline.agents.meter import JudgedMessage, meter_agent
from pipeline.agents.sink import SINK_TOPICS, sink_agent
from pipeline.agents.store_calls import RetryingStore
from pipeline.agents.tokens.bookkeeper import Bookkeeper
from pipeline.agents.tokens.ticks import Ticks
from pipeline.agents.tokens.tokens_agent import tokens_agent
from pipeline.application.tokens.token_reading import accounts_with_tokens
from pipeline.kafka.producer import Producer
from pipeline.kafka.ranges import Ranges
from pipeline.kafka.reaching import system_reason, why_unreachable
from pipeline.kafka.settings import BOOTSTRAP_VARIABLE, HEALTH_VARIABLE, Settings
from pipeline.model.addresses import DSN_VARIABLE
from pipeline.store.client import Client, StoreRefused, StoreUnreachable, connect
from pipeline.store.completeness_marks import ALL_ACCOUNTS
from pipeline.store.facts import write_completeness

ROLES: Final = ("meter", "sink", "quarantine", "seats", "tokens")
log = logging.getLogger(__name__)


class WorkerDidNotStart(Exception):
    """What a worker needs to start is not there: the variable, its address and the reason, in a sentence."""

    def __init__(self, variable: str, reason: str, remedy: str) -> None:
        super().__init__(f"{variable}: {reason}. {remedy}")


async def work(
    settings: Settings, roles: tuple[str, ...], now: Callable[[], int], last_resort: LastResort
) -> BaseException | None:
    """Run roles until SIGTERM, SIGINT or SIGHUP, or until one fails: then its error is returned.

    ``now`` is the wall clock. Each failure is reported to ``last_resort`` in the thread where it happens.

    Raises ``WorkerDidNotStart`` before anything runs.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[BaseException | None] = loop.create_future()

    def end(error: BaseException | None) -> None:
        if not ended.done():
            ended.set_result(error)

    def fail(error: BaseException) -> None:
        last_resort.failed(error)
        with suppress(RuntimeError):  # the event loop is closed: everything has ended
            loop.call_soon_threadsafe(end, error)

    async with AsyncExitStack() as stack:
        stack.enter_context(_signals_end(lambda: loop.call_soon_threadsafe(end, None)))
        try:
            await _Worker(settings, roles, now, fail, stack).start()
            log.info("working as %s", ", ".join(roles))
            return await ended
        except Exception as error:
            last_resort.failed(error)
            raise


@contextmanager
def _signals_end(end: Callable[[], object]) -> Iterator[None]:
    """Python's own signal handlers: those of asyncio would take the wakeup descriptor from the last resort.

    The command line passes SIGHUP on to the handler of SIGINT, unless ``nohup`` ignores it.
    """
    before = {number: signal.signal(number, lambda *_: end()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Worker:
    def __init__(
        self, settings: Settings, roles: tuple[str, ...], now: Callable[[], int], fail: Fail, stack: AsyncExitStack
    ) -> None:
        self._settings, self._roles, self._now, self._fail, self._stack = settings, roles, now, fail, stack
        self._monitor = Monitor(roles, settings.stall_s * 1000, now)
        self._quarantined: frozenset[str] = frozenset()

    async def start(self) -> None:
        await self._serve_health()
        if (reason := await why_unreachable(self._settings.kafka_bootstrap)) is not None:
            raise WorkerDidNotStart(BOOTSTRAP_VARIABLE, reason, "Check the addresses, and that the broker runs")
        consumers: dict[str, Consumer] = {}
        ping: Callable[[], Awaitable[None]] | None = None
        marking: Callable[[], Awaitable[None]] | None = None
        if "meter" in self._roles:
            consumers["meter"] = await self._meter()
        if set(self._roles) - {"meter"}:
            client, executor = await self._store()
            ping = _pinger(client, executor)
            call = RetryingStore(client, executor, self._settings.store_retry_max_s, self._retrying)
            consumers |= await self._readers(call)
            if "tokens" in self._roles:
                consumers["tokens"] = await self._tokens(call)
            marking = await self._marker(client, executor) if "sink" in self._roles else None
        for consumer in consumers.values():
            self._stack.push_async_callback(consumer.stop)
        await asyncio.gather(*(consumer.start() for consumer in consumers.values()))
        watching = asyncio.create_task(self._monitor.watch(self._settings.kafka_bootstrap, consumers, ping))
        watching.add_done_callback(self._watch_ended)
        self._stack.callback(watching.cancel)
        if marking is not None:
            keeping = asyncio.ensure_future(marking())
            keeping.add_done_callback(self._watch_ended)
            self._stack.callback(keeping.cancel)

    async def _serve_health(self) -> None:
        address = self._settings.health_address
        if not address:
            return
        try:
            runner = await serve_health(self._monitor, address)
        except OSError as error:
            reason = f"cannot listen at {address}: {system_reason(error)}"
            raise WorkerDidNotStart(HEALTH_VARIABLE, reason, "Give an address that is free, or nothing") from error
        self._stack.push_async_callback(runner.cleanup)

    async def _meter(self) -> Consumer:
        agent = meter_agent(self._settings, await self._producer(), self._monitor.observer("meter"), self._judged)
        return consume(self._settings, agent, self._fail)

    async def _producer(self) -> Producer:
        producer = Producer(self._settings.kafka_bootstrap)
        await producer.start()
        self._stack.push_async_callback(producer.stop)
        return producer

    async def _tokens(self, call: RetryingStore) -> Consumer:
        settings, made = self._settings, self._monitor.observer("tokens")
        stored, postings = [
            await self._stack.enter_async_context(Ranges(settings.kafka_bootstrap, f"{settings.app_id}-sink"))
            for _ in range(2)
        ]
        bookkeeper = Bookkeeper(settings.log_id, stored, postings, await self._producer(), call)

        def observe(checkpoint: CheckpointMade) -> None:
            made(checkpoint)
            self._monitor.metrics.tokens_available(sum(bookkeeper.available.values()))

        return consume(settings, tokens_agent(settings, bookkeeper, observe), self._fail)

    async def _store(self) -> tuple[Client, ThreadPoolExecutor]:
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._stack.callback(executor.shutdown)
        loop = asyncio.get_running_loop()
        try:
            client = await loop.run_in_executor(executor, connect, self._settings.clickhouse_dsn)
        except StoreUnreachable as error:
            raise WorkerDidNotStart(DSN_VARIABLE, str(error), error.remedy) from error
        self._stack.callback(client.close)
        return client, executor

    async def _readers(self, call: RetryingStore) -> dict[str, Consumer]:
        settings, fail, observer = self._settings, self._fail, self._monitor.observer
        consumers: dict[str, Consumer] = {
            role: consume(settings, sink_agent(settings, call, role, observer(role)), fail)
            for role in self._roles
            if role in SINK_TOPICS
        }
        if "seats" in self._roles:
            seats = SeatsAgent(settings, LiveCounts(self._now), call, fail, observer("seats"))
            await self._stack.enter_async_context(seats)
            consumers["seats"] = consume(settings, seats.agent, fail)
        return consumers

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

        return lambda: keep_mark(self._settings.kafka_bootstrap, stages(self._settings.app_id), self._now, write)

    def _judged(self, judged: JudgedMessage) -> None:
        self._monitor.metrics.judged(judged.valid, judged.invalid)
        self._monitor.metrics.quarantined(len(judged.quarantined))
        for account in sorted(judged.quarantined - self._quarantined):
            log.warning("account %s floods with dead letters: they go into quarantine", account or "without a name")
        for account in sorted(self._quarantined - judged.quarantined):
            log.warning("account %s has left quarantine", account or "without a name")
        self._quarantined = judged.quarantined

    def _retrying(self, error: StoreRefused) -> None:
        self._monitor.metrics.store_error(error.kind)
        log.warning("the store refused a write, which is tried again: %s", error.kind)

    def _watch_ended(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)


def _pinger(client: Client, executor: ThreadPoolExecutor) -> Callable[[], Awaitable[None]]:
    async def ping() -> None:
        await asyncio.get_running_loop().run_in_executor(executor, client.command, "SELECT 1")

    return ping
