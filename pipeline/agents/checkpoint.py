"""The one adapter between Faust and Seatbeat: nothing is acknowledged before everything it led to is stored.

Faust acknowledges an event whose agent raised, so no agent iterates a stream by itself. A checkpoint, after N
messages or T milliseconds, goes:

1. take what the step has made of the messages so far; messages that arrive meanwhile belong to the next checkpoint,
2. await every produce and every insert it leads to,
3. only then acknowledge the messages, in the order of the log.

Any exception ends the process through ``fail``; replay is harmless by design. Bad data is never an exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar, cast

from faust.streams import Stream as FaustStream
from faust.types import EventT, StreamT

Output = TypeVar("Output")
Output_co = TypeVar("Output_co", covariant=True)
Event = EventT[bytes | None]
Stream = StreamT[bytes | None]
Fail = Callable[[BaseException], None]


class Message(NamedTuple):
    """A message as the broker has it. ``received_at`` is the broker's time stamp, epoch ms."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    received_at: int

    def header(self, name: str) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)


class Step(Protocol[Output_co]):
    """What an agent does with messages, without I/O: take them in, and give out what they lead to."""

    def take(self, message: Message) -> None: ...
    def drain(self) -> Output_co: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """A checkpoint is made after ``messages`` messages, or ``interval_ms`` after the last one."""

    messages: int
    interval_ms: int


class Checkpoints(Generic[Output]):
    """Runs one step over one stream, checkpoint by checkpoint."""

    def __init__(self, step: Step[Output], flush: Callable[[Output], Awaitable[None]], pace: Pace, fail: Fail) -> None:
        self._step, self._flush, self._pace, self._fail = step, flush, pace, fail
        self._events: list[Event] = []
        self._one_at_a_time = asyncio.Lock()

    async def run(self, stream: Stream) -> None:
        """Work off a stream until the process ends. Never returns, so that Faust cannot start the agent anew."""
        manual = cast(FaustStream[bytes | None], stream).noack()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(manual))
                tasks.create_task(self._tick(manual))
        except BaseException as error:
            if _is_being_cancelled():
                raise asyncio.CancelledError from error
            self._fail(error)
        await asyncio.Event().wait()

    async def _read(self, stream: Stream) -> None:
        async for event in stream.events():
            self._step.take(read_message(event))
            self._events.append(event)
            if len(self._events) >= self._pace.messages:
                await self._checkpoint(stream)
        raise RuntimeError("the stream ended by itself")

    async def _tick(self, stream: Stream) -> None:
        while True:
            await asyncio.sleep(self._pace.interval_ms / 1000)
            if self._events:
                await self._checkpoint(stream)

    async def _checkpoint(self, stream: Stream) -> None:
        async with self._one_at_a_time:
            events, self._events = self._events, []
            await self._flush(self._step.drain())
            for event in events:
                await stream.ack(event)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def read_message(event: Event) -> Message:
    """The message behind a Faust event."""
    source = event.message
    return Message(
        source.topic,
        source.partition,
        source.offset,
        source.key,
        source.value,
        tuple(cast(Iterable[tuple[str, bytes]], source.headers or ())),
        round((source.timestamp or 0) * 1000),
    )
