"""When a checkpoint is made while the log holds more messages than were taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from pipeline.agents.consuming import Message, Pace
from pipeline.agents.faust.checkpoint import Checkpoints
from pipeline.kafka.topics import HEARTBEATS

PLACE = (HEARTBEATS, 0)
NEVER = 1_000_000_000


class Ends(dict[tuple[str, int], int]):
    """The end of the log as reported by fetches; from the ``looks``-th question on it is ``later``."""

    def __init__(self, end: int, later: int, looks: int) -> None:
        super().__init__({PLACE: end})
        self.later, self.looks, self.looked = later, looks, 0

    def __getitem__(self, place: tuple[str, int]) -> int:
        self.looked += 1
        return self.later if self.looked >= self.looks else super().__getitem__(place)


class Taken(list[int]):
    """A step whose outputs are the offsets that it took."""

    def take(self, message: Message) -> None:
        self.append(message.offset)

    def drain(self) -> list[int]:
        drained = list(self)
        self.clear()
        return drained


class Three:
    """A stream of three messages and then nothing."""

    def __init__(self, ends: Ends) -> None:
        self.app = SimpleNamespace(monitor=SimpleNamespace(tp_end_offsets=ends))
        self.acknowledged: list[int] = []
        self.all_acknowledged = asyncio.Event()

    def noack(self) -> Three:
        return self

    async def events(self) -> AsyncIterator[Any]:
        for offset in range(3):
            place = {"topic": HEARTBEATS, "partition": 0, "offset": offset, "tp": PLACE}
            message = SimpleNamespace(**place, key=b"", value=b"[]", headers=(), timestamp=0.0)
            yield SimpleNamespace(message=message, value=b"[]")
        await asyncio.Event().wait()

    async def ack(self, event: Any) -> None:
        self.acknowledged.append(event.message.offset)
        if len(self.acknowledged) == 3:
            self.all_acknowledged.set()


async def made(ends: Ends, pace: Pace) -> list[tuple[list[int], int]]:
    """The messages of each checkpoint, and how often the ends had been read by then."""
    seen: list[tuple[list[int], int]] = []

    async def flush(offsets: list[int]) -> None:
        seen.append((offsets, ends.looked))

    stream: Any = Three(ends)
    running = asyncio.create_task(Checkpoints(Taken(), flush, pace, lambda _: None).run(stream))
    await stream.all_acknowledged.wait()
    running.cancel()
    await asyncio.wait([running])
    return seen


def test_a_checkpoint_takes_more_while_more_messages_wait_than_were_taken() -> None:
    assert asyncio.run(made(Ends(7, 6, 4), Pace(NEVER, 1, behind_intervals=NEVER))) == [([0, 1, 2], 4)]


def test_a_checkpoint_waits_for_a_bounded_number_of_intervals() -> None:
    assert asyncio.run(made(Ends(7, 6, NEVER), Pace(NEVER, 1, behind_intervals=5))) == [([0, 1, 2], 4)]


def test_a_checkpoint_does_not_wait_where_the_end_of_the_log_is_unknown() -> None:
    ends = Ends(7, 7, NEVER)
    ends.clear()
    assert asyncio.run(made(ends, Pace(NEVER, 1, behind_intervals=NEVER))) == [([0, 1, 2], 0)]


def test_messages_are_released_before_they_are_acknowledged() -> None:
    values: list[object] = []

    class Watched(Three):
        async def ack(self, event: Any) -> None:
            values.extend((event.value, event.message.value))
            await super().ack(event)

    async def flush(_: list[int]) -> None: ...

    async def play() -> None:
        stream: Any = Watched(Ends(3, 3, 1))
        running = asyncio.create_task(Checkpoints(Taken(), flush, Pace(3, NEVER), lambda _: None).run(stream))
        await stream.all_acknowledged.wait()
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(play())
    assert values == [None] * 6
