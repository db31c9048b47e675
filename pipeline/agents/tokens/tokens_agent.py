"""Tokens: charge windows settled, purchases and credits posted, in the order of the log (RULES 6).

A message is acknowledged once everything it led to stands in the topic `token-ledger` (``bookkeeper``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiokafka import TopicPartition

from pipeline.agents.consuming import Agent, CheckpointMade, Message, Pace
from pipeline.agents.tokens.bookkeeper import Bookkeeper
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import COMMANDS, USAGE

CHECKPOINT_MS: Final = 500


class TokensStep:
    """Hands the messages on unchanged. No I/O."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    def take(self, message: Message) -> None:
        """Keep a message."""
        self._messages.append(message)

    def drain(self) -> list[Message]:
        """The messages since the last drain."""
        messages, self._messages = self._messages, []
        return messages


def tokens_agent(
    settings: Settings, bookkeeper: Bookkeeper, observe: Callable[[CheckpointMade], None] = lambda _: None
) -> Agent[list[Message]]:
    """The tokens agent: the bookkeeper works off `usage` and `commands` of the same accounts."""
    assigned: frozenset[TopicPartition] = frozenset()

    def on_assigned(partitions: frozenset[TopicPartition]) -> None:
        nonlocal assigned
        assigned = partitions

    async def work_off(messages: list[Message]) -> None:
        held = {place.partition for place in assigned if place.topic == COMMANDS}
        bookkeeper.keep(held | {message.partition for message in messages})
        await bookkeeper.work_off(messages)

    return Agent(
        role="tokens",
        topics=(USAGE, COMMANDS),
        step=TokensStep(),
        flush=work_off,
        pace=Pace(settings.meter_checkpoint_messages, CHECKPOINT_MS),
        observe=observe,
        on_assigned=on_assigned,
    )
