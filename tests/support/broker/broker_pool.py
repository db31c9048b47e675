"""A pool of reusable Apache Kafka brokers: a lease lasts as long as the connection over which it was requested.

A broker takes seconds of both cores to start, and the command line starts a broker for each order. So a broker is
emptied after a lease (no client is connected, no group has members, no topic is left) and lent again. A broker that
does not get empty in time is ended and replaced.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.support.broker.apache import ApacheKafka

BROKERS_MAX: Final = 6
EMPTY_S_MAX: Final = 20.0
_TURN_S: Final = 0.1
_ESTABLISHED: Final = "01"


class BrokerPool:
    """Lends brokers to processes that ask on a loopback port. ``with`` opens it; leaving ends all brokers."""

    def __init__(self, folder: Path, brokers_max: int = BROKERS_MAX) -> None:
        self._folder, self._places = folder, brokers_max
        self._started: list[ApacheKafka] = []
        self._idle: asyncio.Queue[ApacheKafka] = asyncio.Queue()
        self._emptying: set[asyncio.Task[None]] = set()

    def __enter__(self) -> BrokerPool:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="broker-pool")
        self._thread.start()
        serving = asyncio.start_server(self._lend, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for kafka in self._started:
            kafka.close()

    @property
    def address(self) -> str:
        """The address for ``broker_lease.lease``: ``HOST:PORT``."""
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def _lend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kafka = await self._take()
        try:
            writer.write(f"{kafka.bootstrap}\n".encode())
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()
            self._later(self._give_back(kafka))

    async def _take(self) -> ApacheKafka:
        if self._idle.empty() and self._places:
            self._places -= 1
            return await asyncio.to_thread(self._start)
        return await self._idle.get()

    def _start(self) -> ApacheKafka:
        kafka = ApacheKafka(self._folder / f"lent-{len(self._started)}-{threading.get_ident()}")
        self._started.append(kafka)
        return kafka.__enter__()

    def _later(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._emptying.add(task)
        task.add_done_callback(self._emptying.discard)

    async def _give_back(self, kafka: ApacheKafka) -> None:
        try:
            async with asyncio.timeout(EMPTY_S_MAX):
                await _until_no_clients(kafka.bootstrap)
                await _empty(kafka.bootstrap)
        except (KafkaError, OSError, TimeoutError):
            kafka.close()
            kafka = await asyncio.to_thread(self._start)
        self._idle.put_nowait(kafka)

    async def _end(self) -> None:
        self._server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)


async def _until_no_clients(bootstrap: str) -> None:
    """Wait until no client is connected (Linux): the last client may take a moment to end."""
    while _clients(int(bootstrap.rpartition(":")[2])):  # noqa: ASYNC110 -- another process changes it
        await asyncio.sleep(_TURN_S)


def _clients(port: int) -> int:
    rows = (row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(1 for row in rows if row[1].endswith(f":{port:04X}") and row[3] == _ESTABLISHED)


async def _empty(bootstrap: str) -> None:
    """Delete all topics, and wait until no group has members: killed members leave after their session timeout."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        while topics := [name for name in await admin.list_topics() if not name.startswith("__")]:
            await admin.delete_topics(topics)
            await asyncio.sleep(_TURN_S)
        for name, _ in await admin.list_consumer_groups():
            while await _members(admin, name):  # noqa: ASYNC110 -- the broker changes it
                await asyncio.sleep(_TURN_S)
    finally:
        await admin.close()


async def _members(admin: AIOKafkaAdminClient, group: str) -> int:
    (answer,) = await admin.describe_consumer_groups([group])  # aiokafka misreads an answer about several groups
    (described,) = answer.to_object()["groups"]
    return len(described["members"])
