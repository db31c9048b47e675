"""Sends dead letters of a folder's store through the whole pipeline again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.agents.consuming import Fail
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.kafka.replay_plan import ReplayPlan
from pipeline.store.client import Client
from pipeline.store.letters import Letters, metered_in, read_letters


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """The stored outcome of a replay: heartbeats metered, and dead letters at their new places."""

    metered: int
    letters: Letters


async def replay_embedded(data_dir: Path, plan: ReplayPlan, on_failure: Fail) -> ReplayOutcome:
    """Replay into the same store. Raises ``PipelineFailed``, ``StoreUnreachable``."""
    async with EmbeddedPipeline(data_dir, plan.log_id, on_failure=on_failure) as pipeline:
        return await pipeline.unless_failed(_replay(pipeline, plan))


async def _replay(pipeline: EmbeddedPipeline, plan: ReplayPlan) -> ReplayOutcome:
    await pipeline.producer.write(plan.messages)
    await pipeline.drained(lambda *_: None)

    def ask(client: Client) -> ReplayOutcome:
        return ReplayOutcome(metered_in(client, plan.log_id), read_letters(client, plan.log_id))

    return await pipeline.ask_store(ask)
