"""Questions to the store from an agent, on the store's own thread, asked again while the store is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from pipeline.agents.sink import RETRY_FIRST_S
from pipeline.store.client import Client

Answer = TypeVar("Answer")
Said = ParamSpec("Said")


class Ask(Protocol):
    """Asks the store, and returns once it has answered."""

    async def __call__(
        self, question: Callable[Concatenate[Client, Said], Answer], *said: Said.args, **named: Said.kwargs
    ) -> Answer: ...


class Asking:
    """Asks with growing pauses until the store answers. What is asked must change nothing."""

    def __init__(
        self,
        client: Client,
        executor: Executor,
        retry_max_s: float,
        on_retry: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._client, self._executor, self._retry_max_s, self._on_retry = client, executor, retry_max_s, on_retry

    async def __call__(
        self, question: Callable[Concatenate[Client, Said], Answer], *said: Said.args, **named: Said.kwargs
    ) -> Answer:
        """``question(client, …)``. Errors of the store are asked again, others raised."""
        pause_s = RETRY_FIRST_S
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._executor, lambda: question(self._client, *said, **named))
            except (OperationalError, DatabaseError) as error:
                self._on_retry(error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._retry_max_s)
