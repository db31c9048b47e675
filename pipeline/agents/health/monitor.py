"""A worker's state: looked up regularly at the broker and the store, and served over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Final

from aiohttp import web
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.agents.consuming import CheckpointMade, Consumer
from pipeline.agents.health.metrics import Metrics
from pipeline.agents.health.partition_health import Health, PartitionState, health_app
from pipeline.kafka.settings import HEALTH_VARIABLE
from pipeline.model.addresses import listening_address
from pipeline.store.client import StoreError

LOOK_S: Final = 2.0
ANSWER_S_MAX: Final = 10.0


class StandsStill(RuntimeError):
    """Partitions have lag and do not move, although the broker and the store answer."""


class Monitor:
    """Gathers checkpoints, looks up how far each group is, and pings the store. ``now`` is the wall clock, epoch ms."""

    def __init__(self, roles: tuple[str, ...], stall_ms: int, now: Callable[[], int]) -> None:
        self.now = now
        self.metrics = Metrics()
        self.health = Health(roles, stall_ms)
        self._received_at: dict[str, int] = {}

    def observer(self, role: str) -> Callable[[CheckpointMade], None]:
        """The observer of one role's checkpoints."""

        def observe(checkpoint: CheckpointMade) -> None:
            self._received_at[role] = checkpoint.received_at
            self.metrics.checkpointed(role, checkpoint.messages, checkpoint.took_s)

        return observe

    async def watch(
        self, bootstrap: str, consumers: Mapping[str, Consumer], ping: Callable[[], Awaitable[None]] | None
    ) -> None:
        """Look every few seconds, until cancelled; a look that fails is repeated.

        Raises ``StandsStill`` where a restart of the process may help: after two rebalances at once, such as after a
        pause, Faust can be a member of its group that reads no more, and nothing else would notice.
        """
        async with AsyncExitStack() as stack:
            watchers = {}
            for role, consumer in consumers.items():
                watcher = AIOKafkaConsumer(
                    bootstrap_servers=bootstrap, group_id=consumer.group, enable_auto_commit=False
                )
                stack.push_async_callback(watcher.stop)
                await watcher.start()
                watchers[role] = watcher
            while True:
                for role, consumer in consumers.items():
                    await self._look(role, consumer, watchers[role])
                if ping is not None:
                    self.health.store_answered(await _reason(ping), self.now())
                if problems := self.health.problems(self.now()):
                    raise StandsStill("; ".join(problems))
                await asyncio.sleep(LOOK_S)

    async def _look(self, role: str, consumer: Consumer, watcher: AIOKafkaConsumer) -> None:
        try:
            states = await asyncio.wait_for(_states(watcher, list(consumer.assigned())), ANSWER_S_MAX)
        except (KafkaError, TimeoutError):
            self.health.saw(role, {}, self.now())  # the broker is away: a restart would not help
            return
        now = self.now()
        self.health.saw(role, states, now)
        behind = 0
        for (topic, partition), state in states.items():
            lag = max(0, state.end - state.committed)
            behind += lag
            self.metrics.lag(role, topic, partition, lag)
        age_ms = now - self._received_at.get(role, now) if behind else 0
        self.metrics.freshness(role, age_ms / 1000)


async def serve_health(monitor: Monitor, address: str) -> web.AppRunner:
    """Answer ``/healthz``, ``/readyz`` and ``/metrics`` at ``host:port``; the runner is to be cleaned up.

    Raises ``OSError`` where nothing can listen there.
    """
    place = listening_address(address, HEALTH_VARIABLE)
    runner = web.AppRunner(health_app(monitor.health, monitor.metrics, monitor.now), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, place.host, place.port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner


async def _states(watcher: AIOKafkaConsumer, assigned: list[TopicPartition]) -> dict[tuple[str, int], PartitionState]:
    watcher.assign(assigned)
    watcher.pause(*assigned)  # or it would fetch a megabyte of each partition that is behind, for nothing
    ends = await watcher.end_offsets(assigned)
    begins = await watcher.beginning_offsets(assigned)
    states = {}
    for place in assigned:
        committed = await watcher.committed(place)
        start = begins[place] if committed is None else committed
        states[place.topic, place.partition] = PartitionState(start, ends[place])
    return states


async def _reason(ping: Callable[[], Awaitable[None]]) -> str | None:
    try:
        await asyncio.wait_for(ping(), ANSWER_S_MAX)
    except TimeoutError:
        return f"no answer within {ANSWER_S_MAX:.0f} s"
    except StoreError as error:
        return error.kind
    except Exception as error:  # noqa: BLE001 -- any error is the reason why the store does not answer
        return type(error).__name__
    return None
