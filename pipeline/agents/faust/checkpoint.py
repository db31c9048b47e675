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
from typing import Final, Generic, NamedTuple, Protocol, TypeVar, cast

from faust.streams import Stream as FaustStream
from faust.types import EventT, StreamT

from pipeline.agents.faust.continuity import Continuity

Output = TypeVar("Output")
Output_co = TypeVar("Output_co", covariant=True)
Event = EventT[bytes | None]
Stream = StreamT[bytes | None]
Fail = Callable[[BaseException], None]


VALUE_BYTES: Final = 32 * 1024 * 1024
"""What messages lead to waits in memory until they are acknowledged; a frame may have 1 MiB."""


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
    """A checkpoint is made after ``messages`` messages, ``value_bytes`` of values, or ``interval_ms``.

    While more waits in the log than was taken since the last one, up to ``behind_intervals`` of them pass instead: what
    comes out is late in any case, and the more of a session is folded into one row, the sooner all is caught up.
    """

    messages: int
    interval_ms: int
    value_bytes: int = VALUE_BYTES
    behind_intervals: int = 1


class Made(NamedTuple):
    """A checkpoint that was made: messages acknowledged, the broker's time stamp of the last one, and its duration."""

    messages: int
    received_at: int
    took_s: float


class Checkpoints(Generic[Output]):
    """Runs one step over one stream, checkpoint by checkpoint. ``observe`` hears of each one made.

    Without ``continuity`` a message that the broker's client passes over is passed over: only for what is a cache.
    """

    def __init__(
        self,
        step: Step[Output],
        flush: Callable[[Output], Awaitable[None]],
        pace: Pace,
        fail: Fail,
        observe: Callable[[Made], None] = lambda _: None,
        continuity: Continuity | None = None,
    ) -> None:
        self._continuity = continuity
        self._step, self._flush, self._pace, self._fail, self._observe = step, flush, pace, fail, observe
        self._events: list[Event] = []
        self._value_bytes = 0
        self._first_taken_s = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def run(self, stream: Stream) -> None:
        """Work off a stream until the process ends. Never returns, so that Faust cannot start the agent anew."""
        manual = cast(FaustStream[bytes | None], stream).noack()
        # No TaskGroup: it cancels the task it stands in, which is then not to be told from Faust stopping the agent.
        work = [asyncio.ensure_future(self._read(manual)), asyncio.ensure_future(self._tick(manual))]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in work:
                one.cancel()
            ends = await asyncio.gather(*work, return_exceptions=True)
        errors = [end for end in ends if end is not None and not isinstance(end, asyncio.CancelledError)]
        self._fail(errors[0] if errors else RuntimeError("the agent was cancelled from within"))
        await asyncio.Event().wait()

    async def _read(self, stream: Stream) -> None:
        async for event in stream.events():
            await self._unbroken(event)
            message = read_message(event)
            self._step.take(message)
            if not self._events:
                self._first_taken_s = asyncio.get_running_loop().time()
            self._events.append(event)
            self._value_bytes += len(message.value or b"")
            event.value = event.message.value = None  # only its place is needed from now on
            if len(self._events) >= self._pace.messages or self._value_bytes >= self._pace.value_bytes:
                await self._checkpoint(stream)
        raise RuntimeError("the stream ended by itself")

    async def _unbroken(self, event: Event) -> None:
        at = event.message
        if self._continuity is not None and not self._continuity.follows(at.topic, at.partition, at.offset):
            await self._continuity.look_into(at.topic, at.partition, at.offset)

    async def _tick(self, stream: Stream) -> None:
        passed = 0
        while True:
            await asyncio.sleep(self._pace.interval_ms / 1000)
            passed += 1
            if self._events and (passed >= self._pace.behind_intervals or not self._is_behind(stream)):
                passed = 0
                await self._checkpoint(stream)

    def _is_behind(self, stream: Stream) -> bool:
        """Whether more messages wait than were taken, of the partitions these are of, as far as fetches have told."""
        last = {event.message.tp: event.message.offset for event in self._events}
        ends = cast(FaustStream[bytes | None], stream).app.monitor.tp_end_offsets
        return sum(ends[one] - offset - 1 for one, offset in last.items() if one in ends) > len(self._events)

    async def _checkpoint(self, stream: Stream) -> None:
        await self._one_at_a_time.acquire()  # let go by a checkpoint that was made alone: none follows one that failed
        events, self._events, self._value_bytes = self._events, [], 0
        started_s = self._first_taken_s
        await self._flush(self._step.drain())
        for event in events:
            await stream.ack(event)
        self._one_at_a_time.release()
        if events:
            received_at = round((events[-1].message.timestamp or 0) * 1000)
            self._observe(Made(len(events), received_at, asyncio.get_running_loop().time() - started_s))


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
