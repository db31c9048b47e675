"""Runs an agent in a Faust app of its own: the implementation of ``Consumer`` (``pipeline/agents/consuming.py``)."""

from __future__ import annotations

from typing import TypeVar

import faust
from aiokafka import TopicPartition
from faust.types import TP

from pipeline.agents.consuming import Agent, Fail
from pipeline.agents.faust.app import build_app, raw_topics
from pipeline.agents.faust.checkpoint import Checkpoints, Stream
from pipeline.agents.faust.continuity import Continuity
from pipeline.kafka.settings import Settings

Output = TypeVar("Output")


class FaustConsumer:
    """A ``Consumer``: a Faust app that runs one agent. ``stop`` commits once more and leaves the group."""

    def __init__(self, app: faust.App) -> None:
        self.app = app

    @property
    def group(self) -> str:
        """The app's id is its consumer group."""
        return str(self.app.conf.id)

    def assigned(self) -> frozenset[TopicPartition]:
        """As the client has it now, also during a rebalance."""
        return _places(self.app.consumer.assignment())

    async def start(self) -> None:
        """Start the app, which joins the group."""
        await self.app.start()

    async def stop(self) -> None:
        """Stop the app, which commits once more."""
        await self.app.stop()


def consume(settings: Settings, agent: Agent[Output], fail: Fail) -> FaustConsumer:
    """A consumer for an agent, not yet started. ``fail`` takes every error that must end the process."""
    app = build_app(settings, agent.role, fail, agent.reads)
    continuity = None if agent.may_skip else Continuity(settings.kafka_bootstrap, app.conf.id)
    checkpoints = Checkpoints(agent.step, agent.flush, agent.pace, fail, agent.observe, continuity)

    @app.agent(raw_topics(app, *agent.topics), concurrency=1, name=agent.role)
    async def follow(stream: Stream) -> None:
        await checkpoints.run(stream)

    @app.on_partitions_assigned.connect  # type: ignore[arg-type]  # the signal passes its arguments so
    async def announce(_app: faust.App, assigned: set[TP], **_: object) -> None:
        agent.on_assigned(_places(assigned))

    return FaustConsumer(app)


def _places(partitions: set[TP]) -> frozenset[TopicPartition]:
    return frozenset(TopicPartition(tp.topic, tp.partition) for tp in partitions)
