"""Ticks: the completeness mark as time in the log of every account that has tokens (RULES 6).

A tick's id and content follow from the account and the mark alone, and it is given once an hour of marks, so that
several who give it, or one who does so again, say nothing new.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from pipeline.kafka.posting import command_message
from pipeline.kafka.producer import Producer
from pipeline.model.instants import HOUR_MS
from pipeline.model.orders import Command, Tick

TICK_MS: Final = HOUR_MS
BY: Final = "seatbeat"


def tick(account: str, complete_until: int) -> Command:
    """The order that says how far an account's evidence is complete."""
    return Command(f"tick-{complete_until}", account, BY, complete_until, Tick(complete_until))


class Ticks:
    """Gives a tick to every account that has tokens when the mark has passed another hour."""

    def __init__(self, producer: Producer, accounts: Callable[[], Awaitable[Iterable[str]]]) -> None:
        self._producer, self._accounts = producer, accounts
        self._given_until = 0

    async def give(self, mark: int) -> None:
        """Raises ``KafkaError``; the next mark then gives them all again."""
        until = mark // TICK_MS * TICK_MS
        if until > self._given_until:
            await self._producer.write([command_message(tick(one, until)) for one in await self._accounts()])
            self._given_until = until
