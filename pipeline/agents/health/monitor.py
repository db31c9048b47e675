"""What a worker knows of itself: looked up regularly at the broker and the store, and told over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Final

import faust
from aiohttp import web
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.agents.faust.checkpoint import Made
from pipeline.agents.health.metrics import Metrics
from pipeline.agents.health.partition_health import Health, PartitionState, health_app

LOOK_S: Final = 2.0
ANSWER_S_MAX: Final = 10.0


class StandsStill(RuntimeError):
    """Partitions have messages to work off and do not move, although the broker and the store answer."""


class Monitor:
    """Gathers what checkpoints say, looks where each group stands, and asks the store whether it is there."""

    def __init__(self, roles: tuple[str, ...], stall_ms: int) -> None:
        self.metrics = Metrics()
        self.health = Health(roles, stall_ms)
        self._received_at: dict[str, int] = {}

    def made(self, role: str) -> Callable[[Made], None]:
        """The observer of one role's checkpoints."""

        def observe(checkpoint: Made) -> None:
            self._received_at[role] = checkpoint.received_at
            self.metrics.checkpointed(role, checkpoint.messages, checkpoint.took_s)

        return observe

    async def watch(
        self, bootstrap: str, apps: Mapping[str, faust.App], ping: Callable[[], Awaitable[None]] | None
    ) -> None:
        """Look every few seconds, until cancelled; what cannot be looked up is tried again.

        Raises ``StandsStill`` where starting the process anew may help: two rebalances at once, such as after a pause,
        can leave Faust a member of its group that reads no more, and nobody but this would notice.
        """
        async with AsyncExitStack() as stack:
            watchers = {}
            for role, app in apps.items():
                watcher = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=app.conf.id, enable_auto_commit=False)
                await watcher.start()
                stack.push_async_callback(watcher.stop)
                watchers[role] = watcher
            while True:
                for role, app in apps.items():
                    await self._look(role, app, watchers[role])
                if ping is not None:
                    self.health.store_answered(await _reason(ping), epoch_ms())
                if problems := self.health.problems(epoch_ms()):
                    raise StandsStill("; ".join(problems))
                await asyncio.sleep(LOOK_S)

    async def _look(self, role: str, app: faust.App, watcher: AIOKafkaConsumer) -> None:
        assigned = [TopicPartition(tp.topic, tp.partition) for tp in app.consumer.assignment()]
        try:
            states = await asyncio.wait_for(_states(watcher, assigned), ANSWER_S_MAX)
        except (KafkaError, TimeoutError):
            self.health.saw(role, {}, epoch_ms())  # the broker is away, which no new start would mend
            return
        now = epoch_ms()
        self.health.saw(role, states, now)
        behind = 0
        for (topic, partition), state in states.items():
            lag = max(0, state.end - state.committed)
            behind += lag
            self.metrics.lag(role, topic, partition, lag)
        age_ms = now - self._received_at.get(role, now) if behind else 0
        self.metrics.freshness(role, age_ms / 1000)


async def serve_health(monitor: Monitor, address: str) -> web.AppRunner:
    """Answer ``/healthz``, ``/readyz`` and ``/metrics`` at ``host:port``; the runner is to be cleaned up."""
    host, _, port = address.rpartition(":")
    runner = web.AppRunner(health_app(monitor.health, monitor.metrics, epoch_ms), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, int(port)).start()
    return runner


def epoch_ms() -> int:
    """The clock on the wall, for what is told to people; nothing that is billed ever asks it."""
    return time.time_ns() // 1_000_000


async def _states(watcher: AIOKafkaConsumer, assigned: list[TopicPartition]) -> dict[tuple[str, int], PartitionState]:
    watcher.assign(assigned)
    watcher.pause(*assigned)  # or it would fetch a megabyte of each partition that is behind, to be thrown away
    ends = await watcher.end_offsets(assigned)
    begins = await watcher.beginning_offsets(assigned)
    found = {}
    for one in assigned:
        committed = await watcher.committed(one)
        found[one.topic, one.partition] = PartitionState(begins[one] if committed is None else committed, ends[one])
    return found


async def _reason(ping: Callable[[], Awaitable[None]]) -> str | None:
    try:
        await asyncio.wait_for(ping(), ANSWER_S_MAX)
    except TimeoutError:
        return f"no answer within {ANSWER_S_MAX:.0f} s"
    except Exception as error:  # noqa: BLE001 -- whatever keeps the store from answering is what is told
        return type(error).__name__
    return None
