"""A worker process: some roles, one store, one producer; it ends when told to, or when an agent fails."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import faust

from pipeline.agents.meter import build_meter
from pipeline.agents.producer import Producer
from pipeline.agents.seats import Seats, build_seats
from pipeline.agents.settings import Settings
from pipeline.agents.sink import StoreWriter, build_sink
from pipeline.codec.contracts import load_contract
from pipeline.model.contract import Contract
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.reading import ContractReading
from pipeline.store.client import Client, connect

ROLES: Final = ("meter", "sink", "seats")
log = logging.getLogger(__name__)


async def work(settings: Settings, roles: tuple[str, ...]) -> BaseException | None:
    """Run roles until SIGTERM or SIGINT, or until one fails: then its error is returned.

    Raises ``StoreUnreachable`` and ``InputError`` before anything runs.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[BaseException | None] = loop.create_future()

    def fail(error: BaseException) -> None:
        if not ended.done():
            ended.set_result(error)

    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, lambda: None if ended.done() else ended.set_result(None))
    async with AsyncExitStack() as stack:
        apps = await _build(settings, roles, fail, stack)
        for app in apps:
            stack.push_async_callback(app.stop)
        await asyncio.gather(*(app.start() for app in apps))
        return await ended


async def _build(
    settings: Settings, roles: tuple[str, ...], fail: Callable[[BaseException], None], stack: AsyncExitStack
) -> list[faust.App]:
    apps = []
    if "meter" in roles:
        producer = Producer(settings.kafka_bootstrap)
        await producer.start()
        stack.push_async_callback(producer.stop)
        apps.append(build_meter(settings, producer, fail))
    if "sink" in roles or "seats" in roles:
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        stack.callback(executor.shutdown)
        client: Client = await asyncio.get_running_loop().run_in_executor(executor, connect, settings.clickhouse_dsn)
        stack.callback(client.close)
        if "sink" in roles:
            writer = StoreWriter(client, executor, settings.store_retry_max_s, _retrying)
            apps.append(build_sink(settings, writer, fail))
        if "seats" in roles:
            apps.append(build_seats(settings, Seats(_readings(settings.contracts)), client, executor, fail))
    return apps


def _retrying(error: Exception) -> None:
    log.warning("the store refused a write, which is tried again: %s", type(error).__name__)


def _readings(folder: str) -> Callable[[str], ContractReading]:
    contracts = {one.account: one for one in map(load_contract, sorted(Path(folder).glob("*.yaml")))} if folder else {}

    def reading_of(account: str) -> ContractReading:
        contract = contracts.get(account) or Contract(account, country="", currency="EUR", content_hash="")
        return ContractReading(contract, metering_catalogue())

    return reading_of
