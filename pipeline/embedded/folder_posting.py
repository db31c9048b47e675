"""A command or a contract into a folder's store.

A folder has no broker that outlives a command. So a message goes to the sink's step directly, as the only message of a
log of its own, and is stored before the command answers.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from pipeline.agents.consuming import Message
from pipeline.agents.sink import SinkStep
from pipeline.embedded.folder import open_folder
from pipeline.kafka.producer import Outgoing
from pipeline.store.client import Client

Answer = TypeVar("Answer")
LOG_PREFIX: Final = "posted:"
"""The log of a posting is named with it."""


def post_embedded(
    data_dir: Path, posting: Outgoing, question: Callable[[Client], Answer], *, now: Callable[[], int]
) -> Answer:
    """Post into a store, and return its answer to ``question``. Raises ``StoreUnreachable``, ``StoreError``."""
    client = open_folder(data_dir)
    try:
        step = SinkStep(f"{LOG_PREFIX}{secrets.token_hex(8)}")
        step.take(Message(posting.topic, 0, 0, posting.key, posting.value, posting.headers, now()))
        step.drain().write(client)
        return question(client)
    finally:
        client.close()
