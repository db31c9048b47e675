"""Random input of clients and importers: sessions, duplicates, disorder, poison, wrong and missing keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from pipeline.codec.topics import denial_messages
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.topics import DENIALS, HEARTBEATS
from tests.chaos.orders import posted
from tests.simulation.inputs import messages

Headers = tuple[tuple[str, bytes], ...]
_DENIALS_EVERY: Final = 9
_ORDERS_EVERY: Final = 8
_DENIED_FROM_AT: Final = 1_651_536_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A message to send. ``partition`` is ``None`` if the key decides."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


@dataclass(slots=True)
class Evidence:
    """An endless stream of small fleets' messages with some denials, orders and contracts, determined by its seed."""

    seed: int
    _stream: Iterator[Sent] = field(init=False)

    def __post_init__(self) -> None:
        self._stream = _messages(Random(self.seed))  # noqa: S311 -- a repeatable story

    def take(self, count: int) -> list[Sent]:
        """The next messages."""
        return [next(self._stream) for _ in range(count)]


def _messages(chance: Random) -> Iterator[Sent]:
    number, orders = 0, posted(chance)
    while True:
        for message in messages(chance):
            # The test's own Kafka client sends no message without both key and value.
            key = b"nobody" if message.key is None and message.value is None else message.key
            yield Sent(HEARTBEATS, key, message.value, message.headers)
            number += 1
            if number % _DENIALS_EVERY == 0:
                yield _denial(chance, number)
            if number % _ORDERS_EVERY == 0:
                yield from (Sent(*each) for each in next(orders))


def _denial(chance: Random, number: int) -> Sent:
    account = chance.choice(("studio", "設計"))
    denial = Denial(
        account=account,
        id=f"denial-{number - chance.choice((0, 0, _DENIALS_EVERY))}",
        kind="denied",
        at=_DENIED_FROM_AT + number,
        feature="MSTN",
        user="jana",
        machine="ws-1",
        detail="Licensed number of users already reached.",
        source="debug.log",
        line=number,
    )
    return Sent(DENIALS, encode_key(account), denial_messages.encode(denial))
