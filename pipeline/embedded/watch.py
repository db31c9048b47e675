"""Watching over the embedded pipeline, so that it never waits in silence for what will not come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Final

from pipeline.agents.sink import Batch, StoreWriter
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.store.client import Client

TURN_S: Final = 0.25


class BrokerEnded(Exception):
    """The broker's process ended by itself, and with it everything that it held in memory."""


class StoodStill(Exception):
    """For long nothing was written, stored or committed, although there was work to do."""


class Watch:
    """Hears of everything that moves, and looks at the broker turn by turn."""

    def __init__(self, broker: EmbeddedBroker, still_s_max: float) -> None:
        self._broker, self._still_s_max = broker, still_s_max
        self._moves = self._busy = 0

    def moved(self) -> None:
        """Something was written, stored or committed."""
        self._moves += 1

    @contextmanager
    def busy(self) -> Iterator[None]:
        """The store is at work meanwhile, however long that takes."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    async def trouble(self) -> BaseException:
        """Wait until the broker ends by itself, or nothing has moved for long; then say so.

        Time is told by turns, not by the clock: while the whole process sleeps, nothing stands still.
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
        await super().write(messages)
        self._watch.moved()


class WatchedWriter(StoreWriter):
    """The embedded store's writer; a stored batch is a move.

    What the engine refuses once (a full disk, say) it will refuse again, since it is in this process: there is no
    second try.
    """

    def __init__(self, client: Client, executor: Executor, watch: Watch) -> None:
        super().__init__(client, executor, retry_max_s=1, on_retry=_raise)
        self._watch = watch

    async def write(self, batch: Batch) -> None:
        await super().write(batch)
        self._watch.moved()


def _raise(error: Exception) -> None:
    raise error
