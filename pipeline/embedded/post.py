"""A command or a contract through the whole pipeline into an embedded store."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from pipeline.agents.producer import Outgoing
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.store.client import Client

Answer = TypeVar("Answer")
LOG_PREFIX: Final = "posted:"
"""How the log of a posting is named: each one has a broker, and so a log, of its own."""


async def post_embedded(data_dir: Path, message: Outgoing, question: Callable[[Client], Answer]) -> Answer:
    """Post into a store and ask it what came of that. Raises ``PipelineFailed``, ``StoreUnreachable``."""
    async with EmbeddedPipeline(data_dir, f"{LOG_PREFIX}{secrets.token_hex(8)}") as pipeline:
        return await pipeline.unless_failed(_post(pipeline, message, question))


async def _post(pipeline: EmbeddedPipeline, message: Outgoing, question: Callable[[Client], Answer]) -> Answer:
    await pipeline.producer.write([message])
    await pipeline.drained(lambda *_: None)
    return await pipeline.ask_store(question)
