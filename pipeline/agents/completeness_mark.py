"""The completeness mark of live workers: everything appended before it is stored (RULES 7).

1. Note the time, then read the ends of all partitions of ``heartbeats``.
2. Wait until the meter's group has committed past them: all they led to is then in the topics that the meter writes.
3. Read the ends of those, and wait until the storing groups have committed past them: all of it is then stored.
4. The time noted is the mark, less what clocks may differ by (``rules/statement/completeness.py``).

So a partition without a reader stops the mark, and a mark that was written stays true. Several workers may keep it at
once: the largest mark holds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypedDict, cast

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from pipeline.agents.sink import SINK_TOPICS
from pipeline.kafka.group_lag import GroupProgress
from pipeline.kafka.topics import HEARTBEATS
from pipeline.rules.statement.completeness import mark_of
from pipeline.store.client import StoreRefused

LOOK_S: Final = 0.5
PAUSE_S: Final = 10.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reader:
    """A consumer group and its topics."""

    group: str
    topics: tuple[str, ...]


Stages = Sequence[Sequence[Reader]]
"""Groups in the order of the data flow: the groups of a stage read what the stage before has written."""

Ends = Mapping[TopicPartition, int]


def stages(app_id: str) -> Stages:
    """The agents that evidence passes on its way into the store."""
    storing = [Reader(f"{app_id}-{role}", topics) for role, topics in SINK_TOPICS.items()]
    return ([Reader(f"{app_id}-meter", (HEARTBEATS,))], storing)


async def _look_again() -> None:
    await asyncio.sleep(LOOK_S)


async def chase(
    bootstrap: str,
    stages: Stages,
    now: Callable[[], int],
    rest: Callable[[], Awaitable[None]] = _look_again,
    ends: Ends | None = None,
) -> int:
    """The mark, once everything appended before it is stored. Waits without a limit.

    ``rest`` is awaited between two looks. ``ends`` as in ``GroupProgress``. Raises ``KafkaError``.
    """
    noted_at = now()
    for readers in stages:
        await _worked_off(bootstrap, readers, rest, ends)
    return mark_of(noted_at)


async def keep_mark(
    bootstrap: str, stages: Stages, now: Callable[[], int], write: Callable[[int], Awaitable[None]]
) -> None:
    """Chase and write one mark after the other, until cancelled. After an error it continues with a later mark."""
    while True:
        try:
            await write(await chase(bootstrap, stages, now))
        except StoreRefused as error:
            log.warning("the completeness mark waits: %s", error.kind)
        except KafkaError as error:
            log.warning("the completeness mark waits: %s", type(error).__name__)
        await asyncio.sleep(PAUSE_S)


async def _worked_off(
    bootstrap: str, readers: Iterable[Reader], rest: Callable[[], Awaitable[None]], ends_given: Ends | None
) -> None:
    """Wait until every reader has committed the ends that its topics have now."""
    async with AsyncExitStack() as stack:
        waiting = []
        for reader in readers:
            partitions = await _partitions(bootstrap, reader.topics)
            progress = GroupProgress(bootstrap, reader.group, partitions, ends_given)
            stack.push_async_callback(progress.stop)
            await progress.start()
            waiting.append((progress, await progress.ends()))
        for progress, ends in waiting:
            while await progress.behind(ends):
                await rest()


class _GroupDescription(TypedDict):
    topic: str
    partitions: list[object]


async def _partitions(bootstrap: str, names: tuple[str, ...]) -> dict[str, int]:
    """How many partitions topics have now. Raises ``KafkaError`` for a missing topic: it may have held anything."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        # List first: describing a missing topic by name could create it.
        absent = set(names) - set(await admin.list_topics())
        if absent:
            raise UnknownTopicOrPartitionError(", ".join(sorted(absent)))
        described = cast("list[_GroupDescription]", await admin.describe_topics(list(names)))
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}
