"""Calls of the store from an agent: on the store's own thread, and again while the store is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from pipeline.store.client import Client, StoreRefused

Answer = TypeVar("Answer")
Given = ParamSpec("Given")
RETRY_FIRST_S: Final = 0.2


class CallStore(Protocol):
    """Calls ``work(client, …)`` and returns once the store has answered."""

    async def __call__(
        self, work: Callable[Concatenate[Client, Given], Answer], *args: Given.args, **kwargs: Given.kwargs
    ) -> Answer: ...


class RetryingStore:
    """Calls with growing pauses until the store answers, always with the same arguments.

    The same call twice must change nothing: an insert whose answer was lost is repeated.
    """

    def __init__(
        self,
        client: Client,
        executor: Executor,
        retry_max_s: float,
        on_retry: Callable[[StoreRefused], None] = lambda _: None,
    ) -> None:
        self._client, self._executor, self._retry_max_s, self._on_retry = client, executor, retry_max_s, on_retry

    async def __call__(
        self, work: Callable[Concatenate[Client, Given], Answer], *args: Given.args, **kwargs: Given.kwargs
    ) -> Answer:
        """``work(client, …)``. ``StoreRefused`` is retried, every other error is raised."""
        pause_s = RETRY_FIRST_S
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._executor, lambda: work(self._client, *args, **kwargs))
            except StoreRefused as error:
                self._on_retry(error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._retry_max_s)
