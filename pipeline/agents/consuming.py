"""What an agent is, and what runs it: messages out of the log, acknowledgements back into it.

An agent is a value (``Agent``) without any Kafka framework: the topics it reads, a step that takes messages without
I/O, a flush that writes what they led to, and a pace. Whatever runs it is a ``Consumer``, which promises:

1. **Messages** of a partition reach the step in the order of the log. If nothing may be missed, a message that was
   skipped ends the process.
2. **Acknowledgements** follow the flush: no message is committed before the flush that holds it has returned.
3. **Failures** of a step or a flush go to ``fail``; nothing is acknowledged after them. Messages without an
   acknowledgement come again after a restart, so a flush that is repeated must change nothing.
4. **Assignments** are announced: ``on_assigned`` gets all partitions that the group has given to this process.
5. **Partitions** that the agent does not read are neither taken nor acknowledged.

``pipeline/agents/faust/`` keeps these promises today, and ``tests/integration/test_consumer_contract.py`` checks them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from aiokafka import TopicPartition

Output = TypeVar("Output")
Output_co = TypeVar("Output_co", covariant=True)
Fail = Callable[[BaseException], None]
"""Takes the error that ends the process. Any thread may call it, and more than once: the first error counts."""

VALUE_BYTES: Final = 32 * 1024 * 1024
"""The output of messages stays in memory until they are acknowledged; a frame may have 1 MiB."""


class Message(NamedTuple):
    """A message as the broker has it. ``received_at`` is the broker's timestamp, epoch ms."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    received_at: int

    def header(self, name: str) -> bytes | None:
        """The first header of a name, ``None`` without one."""
        return next((value for key, value in self.headers if key == name), None)


class Step(Protocol[Output_co]):
    """What an agent does with messages, without I/O: ``take`` them in, and ``drain`` what they led to."""

    def take(self, message: Message) -> None:
        """Take in a message. An exception ends the process, so bad data must be part of the output."""
        ...

    def drain(self) -> Output_co:
        """The output of all messages since the last drain."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """A checkpoint is made after ``messages`` messages, after ``value_bytes`` of values, or after ``interval_ms``.

    While more messages wait in the log than were taken since the last checkpoint, up to ``behind_intervals`` intervals
    pass instead: the output is late in any case, and a larger checkpoint folds more of a session into one row.
    """

    messages: int
    interval_ms: int
    value_bytes: int = VALUE_BYTES
    behind_intervals: int = 1


class CheckpointMade(NamedTuple):
    """A checkpoint: messages acknowledged, the broker's timestamp of the last one, and the time it all took."""

    messages: int
    received_at: int
    took_s: float


def every_partition(_: int) -> bool:
    """What an agent reads of its topics unless it says otherwise."""
    return True


@dataclass(frozen=True, slots=True)
class Agent(Generic[Output]):
    """What one role does with its topics. ``role`` also names its consumer group.

    ``reads`` tells by their numbers which of the partitions assigned to it the agent reads; the others are not
    acknowledged either. ``may_skip`` allows skipped messages; only an agent whose result is a cache may set it.
    ``observe`` gets every checkpoint.
    """

    role: str
    topics: tuple[str, ...]
    step: Step[Output]
    flush: Callable[[Output], Awaitable[None]]
    pace: Pace
    may_skip: bool = False
    reads: Callable[[int], bool] = every_partition
    observe: Callable[[CheckpointMade], None] = lambda _: None
    on_assigned: Callable[[frozenset[TopicPartition]], None] = lambda _: None


class Consumer(Protocol):
    """Runs one agent as a member of its consumer group."""

    @property
    def group(self) -> str:
        """The consumer group that commits the agent's offsets."""
        ...

    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions that the group has given to this process now."""
        ...

    async def start(self) -> None:
        """Join the group and begin to read."""
        ...

    async def stop(self) -> None:
        """Commit what is acknowledged, and leave the group."""
        ...
