"""Messages as steps receive them, and the outputs of steps in a form that tests compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from pipeline.agents.consuming import Message
from pipeline.agents.meter import MeterStep
from pipeline.agents.sink import Batch, SinkStep
from pipeline.codec.columns.usage_messages import decode_usage
from pipeline.codec.columns.usage_rows import closes, session_days
from pipeline.codec.json_text import Json
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.message_keys import encode_key
from pipeline.codec.topics.usage_frames import Delivery
from pipeline.kafka.headers import USAGE_VERSION_HEADER
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, USAGE, partition_of
from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.rules.evidence.merge import UsageFold
from tests.support.evidence.frame_members import AT

LOG = "main"
PARTITIONS = 2
"""Of `usage`."""


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
    """The merged outputs of steps: they must not depend on order, repetition or grouping of the messages."""

    days: dict[tuple[SessionKey, int], SessionDay]
    closes: frozenset[SessionClose]
    deliveries: frozenset[tuple[str, Delivery]]
    letters: frozenset[DeadLetter]


def metered(checkpoints: Iterable[Sequence[Message]]) -> list[Outgoing]:
    """The outputs of a meter that makes a checkpoint after each group of messages."""
    step, written = MeterStep(LOG), list[Outgoing]()
    for messages in checkpoints:
        for message in messages:
            step.take(message)
        written += step.drain().outgoing(PARTITIONS)
    return written


def facts_of(written: Iterable[Outgoing]) -> Facts:
    """The facts in the outputs of a meter, merged."""
    usage, deliveries, letters = UsageFold(), set[tuple[str, Delivery]](), set[DeadLetter]()
    for outgoing in written:
        if outgoing.topic == HEARTBEATS_DLQ:
            letters.add(dead_letter_messages.decode(outgoing.value))
            continue
        assert outgoing.topic == USAGE
        read = decode_usage(outgoing.value, dict(outgoing.headers).get(USAGE_VERSION_HEADER))
        _merge(usage, session_days(read.rows), closes(read.rows))
        for account, *place in rows_in(read.deliveries):
            assert partition_of(encode_key(account), PARTITIONS) == partition_written(outgoing)
            deliveries.add((account, Delivery(*place)))
    return _facts(usage, deliveries, letters)


def sunk(checkpoints: Iterable[Sequence[Message]]) -> list[Batch]:
    """The batches of a sink that makes a checkpoint after each group of messages."""
    step, batches = SinkStep("main"), list[Batch]()
    for messages in checkpoints:
        for message in messages:
            step.take(message)
        batches.append(step.drain())
    return batches


def facts_stored(batches: Iterable[Batch]) -> Facts:
    """The facts in the batches of a sink, merged as the store merges them."""
    usage, deliveries, letters = UsageFold(), set[tuple[str, Delivery]](), set[DeadLetter]()
    for batch in batches:
        _merge(usage, session_days(batch.usage.rows), closes(batch.usage.rows))
        deliveries |= {(account, Delivery(*place)) for account, *place in rows_in(batch.usage.deliveries)}
        letters |= set(batch.letters)
    return _facts(usage, deliveries, letters)


def rows_in(table: pa.Table) -> list[tuple[Any, ...]]:
    """The rows of a table."""
    return list(zip(*table.to_pydict().values(), strict=True))


def partition_written(outgoing: Outgoing) -> int:
    """The partition that a message of usage is written to."""
    return partition_of(outgoing.key or b"", PARTITIONS) if outgoing.partition is None else outgoing.partition


def _merge(usage: UsageFold, days: Iterable[SessionDay], closes: Iterable[SessionClose]) -> None:
    for day in days:
        usage.merge(day)
    for close in closes:
        usage.merge_close(close)


def _facts(usage: UsageFold, deliveries: set[tuple[str, Delivery]], letters: set[DeadLetter]) -> Facts:
    days = {(day.session, day.day): day for day in usage.session_days()}
    return Facts(days, frozenset(usage.closes()), frozenset(deliveries), frozenset(letters))
