"""Ticks: the completeness mark as time in the log of every account that has tokens (RULES 6).

A tick's id and content follow from the account and the mark alone, rounded down to the hour. So several processes may
write it, or the same process again: all their messages are the same order.
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
    """Writes a tick to every account that has tokens, once per hour of the mark."""

    def __init__(self, producer: Producer, accounts: Callable[[], Awaitable[Iterable[str]]]) -> None:
        self._producer, self._accounts = producer, accounts
        self._given_until = 0

    async def give(self, mark: int) -> None:
        """Write the ticks of a mark. After a ``KafkaError`` the next mark writes them all again."""
        until = mark // TICK_MS * TICK_MS
        if until > self._given_until:
            await self._producer.write([command_message(tick(account, until)) for account in await self._accounts()])
            self._given_until = until
