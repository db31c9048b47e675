"""Tokens: charge windows settled, purchases and credits posted, in the order of the log (RULES 6).

A message is acknowledged once everything it led to stands in the topic `token-ledger` (``bookkeeper``).
"""

from __future__ import annotations

from collections.abc import Callable

import faust

from pipeline.agents.faust.app import build_app, raw_topics
from pipeline.agents.faust.checkpoint import Checkpoints, Fail, Made, Message, Pace, Stream
from pipeline.agents.faust.continuity import Continuity
from pipeline.agents.tokens.bookkeeper import Bookkeeper
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import COMMANDS, USAGE

CHECKPOINT_MS = 500


class TokensStep:
    """Hands messages on as they came. No I/O."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    def take(self, message: Message) -> None:
        self._messages.append(message)

    def drain(self) -> list[Message]:
        messages, self._messages = self._messages, []
        return messages


def build_tokens(
    settings: Settings, bookkeeper: Bookkeeper, fail: Fail, observe: Callable[[Made], None] = lambda _: None
) -> faust.App:
    """The tokens agent's app: `usage` and `commands` of the same accounts, worked off by the bookkeeper."""
    app = build_app(settings, "tokens", fail)
    continuity = Continuity(settings.kafka_bootstrap, app.conf.id)

    async def work_off(messages: list[Message]) -> None:
        held = {one.partition for one in app.consumer.assignment() if one.topic == COMMANDS}
        bookkeeper.keep(held | {one.partition for one in messages})
        await bookkeeper.work_off(messages)

    pace = Pace(settings.meter_checkpoint_messages, CHECKPOINT_MS)
    checkpoints = Checkpoints(TokensStep(), work_off, pace, fail, observe, continuity)

    @app.agent(raw_topics(app, USAGE, COMMANDS), concurrency=1, name="tokens")
    async def follow(stream: Stream) -> None:
        await checkpoints.run(stream)

    return app
