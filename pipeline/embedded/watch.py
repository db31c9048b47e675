"""Watches the embedded pipeline, so that it never waits forever for something that will not come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Concatenate, Final, ParamSpec, TypeVar

from pipeline.agents.store_calls import RetryingStore
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.embedded.failures import PartFailed
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.store.client import Client

Answer = TypeVar("Answer")
Given = ParamSpec("Given")
TURN_S: Final = 0.25


class BrokerEnded(PartFailed):
    """The broker's process ended by itself, and with it everything that it held in memory."""


class StoodStill(PartFailed):
    """Nothing was written, stored or committed for a long time, although there was work to do."""


class Watch:
    """Counts moves, and checks turn by turn that there are some and that the broker runs."""

    def __init__(self, broker: EmbeddedBroker, still_s_max: float) -> None:
        self._broker, self._still_s_max = broker, still_s_max
        self._moves = self._busy = 0

    def moved(self) -> None:
        """Something was written, stored or committed."""
        self._moves += 1

    @contextmanager
    def busy(self) -> Iterator[None]:
        """The store works meanwhile, however long it takes: that is not standing still."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    async def trouble(self) -> BaseException:
        """Wait until the broker ends by itself, or nothing has moved for too long, and return that as an error.

        Turns are counted, not the clock: while the whole process is suspended, nothing stands still.
        """
        moves, still_s = self._moves, 0.0
        while still_s < self._still_s_max:
            await asyncio.sleep(TURN_S)
            status = self._broker.exit_status
            if status is not None:
                return BrokerEnded(f"the embedded broker ended by itself (exit status {status})")
            still_s = 0.0 if self._busy or moves != self._moves else still_s + TURN_S
            moves = self._moves
        return StoodStill(f"nothing was written, stored or committed for {still_s:.0f} s")


class WatchedProducer(Producer):
    """The embedded broker's producer; a write is a move."""

    def __init__(self, bootstrap: str, watch: Watch) -> None:
        super().__init__(bootstrap, idempotent=False)
        self._watch = watch

    async def write(self, messages: Iterable[Outgoing]) -> None:
        """As ``Producer.write``."""
        await super().write(messages)
        self._watch.moved()


class WatchedStore(RetryingStore):
    """The embedded store; an answer is a move.

    There is no second try: what the engine refuses once (a full disk, say) it refuses again, as it is in this process.
    """

    def __init__(self, client: Client, executor: Executor, watch: Watch) -> None:
        super().__init__(client, executor, retry_max_s=1, on_retry=_raise)
        self._watch = watch

    async def __call__(
        self, work: Callable[Concatenate[Client, Given], Answer], *args: Given.args, **kwargs: Given.kwargs
    ) -> Answer:
        """``work(client, …)``. Raises ``StoreError``."""
        answer = await super().__call__(work, *args, **kwargs)
        self._watch.moved()
        return answer


def _raise(error: Exception) -> None:
    raise error
