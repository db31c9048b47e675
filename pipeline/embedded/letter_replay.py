"""Sends dead letters of a folder's store through the whole pipeline again."""

from __future__ import annotations

from pathlib import Path

from pipeline.agents.consuming import Fail
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.kafka.replay_plan import ReplayPlan
from pipeline.store.letters import metered_in


async def replay_embedded(data_dir: Path, plan: ReplayPlan, on_failure: Fail) -> int:
    """Replay into the same store; how many heartbeats were metered. Raises ``PipelineFailed``, ``StoreUnreachable``."""
    async with EmbeddedPipeline(data_dir, plan.log_id, on_failure=on_failure) as pipeline:
        return await pipeline.unless_failed(_replay(pipeline, plan))


async def _replay(pipeline: EmbeddedPipeline, plan: ReplayPlan) -> int:
    await pipeline.producer.write(plan.messages)
    await pipeline.drained(lambda *_: None)
    return await pipeline.ask_store(lambda client: metered_in(client, plan.log_id))
