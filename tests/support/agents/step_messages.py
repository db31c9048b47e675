"""Messages as the broker hands them to steps, and what steps lead to in a form that can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from pipeline.agents.consuming import Message
from pipeline.agents.meter import MeterStep
from pipeline.agents.sink import Batch, SinkStep
from pipeline.codec.json_text import Json
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.message_keys import encode_key
from pipeline.codec.topics.usage_frames import Delivery, decode_frame
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, USAGE
from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.rules.evidence.merge import UsageFold
from tests.support.evidence.frame_members import AT

LOG = "main"


def message(
    value: Json | bytes,
    offset: int = 0,
    *,
    key: bytes | None = None,
    partition: int = 0,
    topic: str = HEARTBEATS,
    headers: tuple[tuple[str, bytes], ...] = (),
) -> Message:
    """A message of heartbeats; a later offset was received later."""
    content = value if isinstance(value, bytes) else orjson.dumps(value)
    return Message(topic, partition, offset, key, content, headers, AT + 1_000 + offset)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that steps lead to, after merging: what must not depend on how the messages came."""

    days: dict[tuple[SessionKey, int], SessionDay]
    closes: frozenset[SessionClose]
    deliveries: frozenset[tuple[str, Delivery]]
    letters: frozenset[DeadLetter]


def metered(checkpoints: Iterable[Sequence[Message]]) -> list[Outgoing]:
    """What a meter writes that makes a checkpoint after each of these groups of messages."""
    step, written = MeterStep(LOG), list[Outgoing]()
    for messages in checkpoints:
        for one in messages:
            step.take(one)
        written += step.drain()
    return written


def facts_of(written: Iterable[Outgoing]) -> Facts:
    """What is told on the topics of the meter, merged."""
    usage, deliveries, letters = UsageFold(), set[tuple[str, Delivery]](), set[DeadLetter]()
    for one in written:
        if one.topic == HEARTBEATS_DLQ:
            letters.add(dead_letter_messages.decode(one.value))
            continue
        assert one.topic == USAGE
        frame = decode_frame(one.value)
        assert one.key == encode_key(frame.account)
        _merge(usage, frame.days, frame.closes)
        deliveries |= {(frame.account, delivery) for delivery in frame.deliveries}
    return _facts(usage, deliveries, letters)


def sunk(checkpoints: Iterable[Sequence[Message]]) -> list[Batch]:
    """What a sink stores that makes a checkpoint after each of these groups of messages."""
    step, batches = SinkStep("main"), list[Batch]()
    for messages in checkpoints:
        for one in messages:
            step.take(one)
        batches.append(step.drain())
    return batches


def facts_stored(batches: Iterable[Batch]) -> Facts:
    """What batches store, merged as the store merges it."""
    usage, deliveries, letters = UsageFold(), set[tuple[str, Delivery]](), set[DeadLetter]()
    for batch in batches:
        _merge(usage, batch.days, batch.closes)
        deliveries |= {(account, one) for account, told in batch.deliveries.items() for one in told}
        letters |= set(batch.letters)
    return _facts(usage, deliveries, letters)


def _merge(usage: UsageFold, days: Iterable[SessionDay], closes: Iterable[SessionClose]) -> None:
    for day in days:
        usage.merge(day)
    for close in closes:
        usage.merge_close(close)


def _facts(usage: UsageFold, deliveries: set[tuple[str, Delivery]], letters: set[DeadLetter]) -> Facts:
    days = {(day.session, day.day): day for day in usage.session_days()}
    return Facts(days, frozenset(usage.closes()), frozenset(deliveries), frozenset(letters))
