"""The one adapter between Faust and Seatbeat: no message is acknowledged before all it led to is stored.

Faust acknowledges an event whose agent raised, so no agent iterates a stream by itself. A checkpoint, after N
messages or T milliseconds, goes:

1. drain the step: messages that arrive meanwhile belong to the next checkpoint,
2. await every produce and every insert,
3. only then acknowledge the messages, in the order of the log.

Any exception ends the process through ``fail``; a replay is harmless by design. Bad data is never an exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar, cast

from faust.streams import Stream as FaustStream
from faust.types import EventT, StreamT

from pipeline.agents.consuming import CheckpointMade, Fail, Message, Pace, Step
from pipeline.agents.faust.continuity import Continuity

Output = TypeVar("Output")
Event = EventT[bytes | None]
Stream = StreamT[bytes | None]


class Checkpoints(Generic[Output]):
    """Runs one step over one stream, checkpoint by checkpoint. ``observe`` gets each one.

    Without ``continuity`` skipped messages are not noticed: only for a cache.
    """

    def __init__(
        self,
        step: Step[Output],
        flush: Callable[[Output], Awaitable[None]],
        pace: Pace,
        fail: Fail,
        observe: Callable[[CheckpointMade], None] = lambda _: None,
        continuity: Continuity | None = None,
    ) -> None:
        self._continuity = continuity
        self._step, self._flush, self._pace, self._fail, self._observe = step, flush, pace, fail, observe
        self._events: list[Event] = []
        self._value_bytes = 0
        self._first_taken_s = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def run(self, stream: Stream) -> None:
        """Work off a stream until the process ends. Never returns, so that Faust cannot restart the agent."""
        manual = cast(FaustStream[bytes | None], stream).noack()
        # No TaskGroup: it cancels its own task, and that looks the same as Faust stopping the agent.
        tasks = [asyncio.ensure_future(self._read(manual)), asyncio.ensure_future(self._tick(manual))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        errors = [end for end in ends if end is not None and not isinstance(end, asyncio.CancelledError)]
        self._fail(errors[0] if errors else RuntimeError("the agent was cancelled from within"))
        await asyncio.Event().wait()

    async def _read(self, stream: Stream) -> None:
        async for event in stream.events():
            await self._check_continuity(event)
            message = read_message(event)
            self._step.take(message)
            if not self._events:
                self._first_taken_s = asyncio.get_running_loop().time()
            self._events.append(event)
            self._value_bytes += len(message.value or b"")
            event.value = event.message.value = None  # frees the memory: only the offset is needed from now on
            if len(self._events) >= self._pace.messages or self._value_bytes >= self._pace.value_bytes:
                await self._checkpoint(stream)
        raise RuntimeError("the stream ended by itself")

    async def _check_continuity(self, event: Event) -> None:
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
        """Whether more messages wait in the taken ones' partitions than were taken, by the ends that fetches report."""
        last = {event.message.tp: event.message.offset for event in self._events}
        ends = cast(FaustStream[bytes | None], stream).app.monitor.tp_end_offsets
        return sum(ends[place] - offset - 1 for place, offset in last.items() if place in ends) > len(self._events)

    async def _checkpoint(self, stream: Stream) -> None:
        # Deliberately not `async with`: after a failed flush the lock stays held, so nothing later can be acknowledged.
        await self._one_at_a_time.acquire()
        events, self._events, self._value_bytes = self._events, [], 0
        started_s = self._first_taken_s
        await self._flush(self._step.drain())
        for event in events:
            await stream.ack(event)
        self._one_at_a_time.release()
        if events:
            received_at = round((events[-1].message.timestamp or 0) * 1000)
            self._observe(CheckpointMade(len(events), received_at, asyncio.get_running_loop().time() - started_s))


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
