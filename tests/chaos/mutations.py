"""Workers with a defence removed, each by replacing a part of the worker.

A mutation is applied before the seams (``seams``), which then wrap it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from faust.types import StreamT

from pipeline.agents import sink, worker_process
from pipeline.agents.faust import consumer
from pipeline.agents.faust.checkpoint import Checkpoints
from pipeline.agents.sink import SinkStep
from pipeline.agents.store_calls import RetryingStore
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.store.client import Client
from pipeline.store.order_log import PlacedCommand, write_commands

Answer = TypeVar("Answer")
Given = ParamSpec("Given")


class AcknowledgesFirst(Checkpoints[Any]):
    async def _checkpoint(self, stream: StreamT[Any]) -> None:
        async with self._one_at_a_time:
            events, self._events = self._events, []
            drained = self._step.drain()
            for event in events:
                await stream.ack(event)
            await self._flush(drained)


def acknowledges_before_produce() -> None:
    """The meter acknowledges before it writes."""
    consumer.Checkpoints = AcknowledgesFirst  # type: ignore[attr-defined]  # a worker builds whatever stands there


def acknowledges_before_insert() -> None:
    """The sink acknowledges before it stores."""
    consumer.Checkpoints = AcknowledgesFirst  # type: ignore[attr-defined]  # as above


def produce_is_not_awaited() -> None:
    """The meter does not wait for its producer."""
    writing: set[asyncio.Task[None]] = set()

    class DoesNotWait(Producer):
        async def write(self, messages: Iterable[Outgoing]) -> None:
            writing.add(asyncio.get_running_loop().create_task(super().write(list(messages))))

    worker_process.Producer = DoesNotWait  # type: ignore[attr-defined]  # as above


def insert_is_not_awaited() -> None:
    """The sink does not wait for its inserts."""
    writing: set[asyncio.Task[Any]] = set()

    class DoesNotWait(RetryingStore):
        async def __call__(
            self, work: Callable[Concatenate[Client, Given], Answer], *args: Given.args, **kwargs: Given.kwargs
        ) -> Answer:
            writing.add(asyncio.get_running_loop().create_task(super().__call__(work, *args, **kwargs)))
            return cast(Answer, None)

    worker_process.RetryingStore = DoesNotWait  # type: ignore[attr-defined]  # as above


def failed_insert_is_ignored() -> None:
    """The sink tries an insert only once."""

    class TriesOnce(RetryingStore):
        async def __call__(
            self, work: Callable[Concatenate[Client, Given], Answer], *args: Given.args, **kwargs: Given.kwargs
        ) -> Answer:
            return cast(Answer, await _failure(self, lambda client: work(client, *args, **kwargs)))

    worker_process.RetryingStore = TriesOnce  # type: ignore[attr-defined]  # as above


async def _failure(store: RetryingStore, work: Callable[[Client], object]) -> BaseException | None:
    """The error of a single try."""
    written = asyncio.get_running_loop().run_in_executor(store._executor, work, store._client)
    (outcome,) = await asyncio.gather(written, return_exceptions=True)
    return outcome if isinstance(outcome, BaseException) else None


def retry_has_other_rows() -> None:
    """The sink retries with the rows gathered since, without the old rows."""
    steps: list[SinkStep] = []

    class RecordedStep(SinkStep):
        def __init__(self, log_id: str) -> None:
            super().__init__(log_id)
            steps.append(self)

    class DrainsAgain(RetryingStore):
        async def __call__(
            self, work: Callable[Concatenate[Client, Given], Answer], *args: Given.args, **kwargs: Given.kwargs
        ) -> Answer:
            failure = await _failure(self, lambda client: work(client, *args, **kwargs))
            while failure is not None:
                failure = await _failure(self, steps[0].drain().write)
            return cast(Answer, None)

    sink.SinkStep = RecordedStep  # type: ignore[misc]  # as above
    worker_process.RetryingStore = DrainsAgain  # type: ignore[attr-defined]  # as above


def error_of_a_flush_is_swallowed() -> None:
    """The meter acknowledges even if the flush failed."""

    class Swallows(Checkpoints[Any]):
        async def _checkpoint(self, stream: StreamT[Any]) -> None:
            async with self._one_at_a_time:
                events, self._events = self._events, []
                (_,) = await asyncio.gather(self._drain_and_flush(), return_exceptions=True)
                for event in events:
                    await stream.ack(event)

        async def _drain_and_flush(self) -> None:
            await self._flush(self._step.drain())

    consumer.Checkpoints = Swallows  # type: ignore[attr-defined]  # as above


def later_order_wins() -> None:
    """The sink keeps only the last order with an id."""

    def keeps_the_last(client: Client, placed: Iterable[PlacedCommand]) -> None:
        write_commands(client, {(command.command.account, command.command.id): command for command in placed}.values())

    sink.write_commands = keeps_the_last  # type: ignore[attr-defined]  # as above


MUTATIONS: Final[Mapping[str, Callable[[], None]]] = {
    "ack before produce": acknowledges_before_produce,
    "ack before insert": acknowledges_before_insert,
    "produce not awaited": produce_is_not_awaited,
    "insert not awaited": insert_is_not_awaited,
    "failed insert ignored": failed_insert_is_ignored,
    "retry with other rows": retry_has_other_rows,
    "error of a flush swallowed": error_of_a_flush_is_swallowed,
    "later order wins": later_order_wins,
}
