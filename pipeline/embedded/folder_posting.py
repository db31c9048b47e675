"""A command or a contract into a folder's store.

A folder has no broker that outlives a command, so a message goes to the sink's step directly, as the only one of a log
of its own, and is stored before anything is told.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from pipeline.agents.faust.checkpoint import Message
from pipeline.agents.sink import SinkStep
from pipeline.embedded.folder import open_folder
from pipeline.kafka.producer import Outgoing
from pipeline.store.client import Client

Answer = TypeVar("Answer")
LOG_PREFIX: Final = "posted:"
"""How the log of a posting is named."""


def post_embedded(data_dir: Path, posting: Outgoing, question: Callable[[Client], Answer]) -> Answer:
    """Post into a store and ask it what came of that. Raises ``StoreUnreachable``, ``ClickHouseError``."""
    client = open_folder(data_dir)
    try:
        step = SinkStep(f"{LOG_PREFIX}{secrets.token_hex(8)}")
        received_at = time.time_ns() // 1_000_000
        step.take(Message(posting.topic, 0, 0, posting.key, posting.value, posting.headers, received_at))
        step.drain().write(client)
        return question(client)
    finally:
        client.close()
