"""The meter: heartbeats in, session days out. The only validator; invalid members go to the dead-letter topic."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import NamedTuple, get_args

import numpy as np

from pipeline.agents.consuming import Agent, CheckpointMade, Message, Pace
from pipeline.agents.quarantine import Quarantine
from pipeline.agents.replayed_letters import at_first_place
from pipeline.codec.columns.distinct import DISTINCT_MAX, Kind
from pipeline.codec.columns.heartbeat_columns import HeartbeatColumns, HeartbeatJudge
from pipeline.codec.columns.usage_messages import ARROW_ROWS_MIN, UsageMessage, UsageTables, deliveries_of, encode_usage
from pipeline.codec.columns.usage_rows import folded, rows_of
from pipeline.codec.json_text import NotJson, parse_json
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.dead_letter_messages import DeadLetter, member_text
from pipeline.codec.topics.heartbeats import InvalidMember, invalid_member, members_of
from pipeline.codec.topics.message_keys import account_of, encode_key
from pipeline.kafka.headers import CODE_HEADER, LINES_HEADER, PROBLEM_HEADER, SOURCE_HEADER, USAGE_VERSION_HEADER
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, HEARTBEATS_QUARANTINE, USAGE, partition_of
from pipeline.model.errors import DeadLetterCode

LETTER_BYTES_MAX = 3_500_000
"""Less than the dead-letter topic accepts, with room for the key. A whole source message in base64 always fits."""
KEY_BYTES_MAX = 65_536
HEADER_LENGTH_MAX = 1_000
JUDGED_TOGETHER = 1_024
"""Members, or messages, that are judged together, or fewer when their values take ``JUDGED_BYTES``."""
JUDGED_BYTES = 4 * 1024 * 1024
VALUE_BYTES = 96 * 1024 * 1024
"""Values in a checkpoint: their columns take a third of that, dead letters of nothing but garbage four thirds."""
BEHIND_INTERVALS = 4
"""While the meter is behind a checkpoint takes up to so many intervals: the sink then stores a quarter of the rows."""


class JudgedMessage(NamedTuple):
    """A meter's verdicts: valid heartbeats, invalid members by code, and the accounts in quarantine."""

    valid: int
    invalid: Mapping[str, int]
    quarantined: frozenset[str]


@dataclass(frozen=True)
class Metered:
    """The output of a checkpoint: heartbeats in columns, the places of their messages, and dead letters to be written.

    Folding and encoding take a third of the work and no lock of Python's, so they are left to another thread.
    """

    columns: list[HeartbeatColumns]
    accounts: list[str]
    kinds: list[Kind]
    log_id: str
    places: list[tuple[int, int, int]]
    letters: list[Outgoing]

    @cached_property
    def usage(self) -> UsageTables:
        """Usage rows, folded, and how many heartbeats of each account a message held."""
        partitions, offsets, received_at = np.array(self.places, np.int64).reshape(-1, 3).T
        rows = folded(rows_of(self.columns, self.accounts, self.kinds, received_at))
        return UsageTables(
            rows, deliveries_of(self.columns, self.accounts, self.log_id, HEARTBEATS, (partitions, offsets))
        )

    def outgoing(self, usage_partitions: int, arrow_rows_min: int = ARROW_ROWS_MIN) -> list[Outgoing]:
        """The messages to be written: usage first."""

        encoded = encode_usage(self.usage, partial(_partition_of_account, usage_partitions), arrow_rows_min)
        return [*map(_usage_message, encoded), *self.letters]


class MeterStep:
    """Judges heartbeats, folds valid ones, counts those of each message, and keeps invalid members. No I/O.

    The members of many messages are judged together, at the latest at the end of the checkpoint.
    """

    def __init__(self, log_id: str, quarantine_letters_max: int = sys.maxsize) -> None:
        self._log_id = log_id
        self._quarantine = Quarantine(quarantine_letters_max)
        self._judge = HeartbeatJudge()
        self._restart()
        self._valid, self._codes = 0, Counter[str]()

    def _restart(self) -> None:
        self._places: list[tuple[int, int, int]] = []
        self._unjudged: dict[int, Message] = {}
        self._unjudged_bytes = 0
        self._unusable: dict[int, list[InvalidMember]] = {}
        self._columns: list[HeartbeatColumns] = []
        self._letters: list[Outgoing] = []

    def take(self, message: Message) -> None:
        """Judge and fold every heartbeat of a message. Never raises for bad data."""
        source = len(self._places)
        members, self._unusable[source] = members_of(message.value)
        self._places.append((message.partition, message.offset, message.received_at))
        self._unjudged[source] = message
        self._unjudged_bytes += len(message.value or b"")
        self._judge.add(source, members)
        if max(len(self._judge), len(self._unjudged)) >= JUDGED_TOGETHER or self._unjudged_bytes >= JUDGED_BYTES:
            self._judge_gathered()

    def _judge_gathered(self) -> None:
        columns, faults = self._judge.judge(lambda source: members_of(self._unjudged[source].value)[0])
        self._columns += columns
        self._valid += sum(len(each.sources) for each in columns)
        for fault in faults:
            self._unusable[fault.source].append(invalid_member(fault.index, fault.member, fault.reason))
        for source, message in self._unjudged.items():
            for member in self._unusable[source]:
                self._refuse(message, member)
        self._unjudged.clear()
        self._unjudged_bytes = 0
        self._unusable.clear()

    def _refuse(self, message: Message, invalid: InvalidMember) -> None:
        self._codes[invalid.reason.code] += 1
        letter = at_first_place(self._dead_letter(message, invalid), message)
        flood = self._quarantine.takes(letter.account, message.received_at)
        self._letters.append(_outgoing(HEARTBEATS_QUARANTINE if flood else HEARTBEATS_DLQ, message, letter))

    def drain(self) -> Metered:
        """The output of the messages since the last drain."""
        self._judge_gathered()
        accounts, kinds = [*self._judge.accounts.meanings], [*self._judge.kinds.meanings]
        metered = Metered(self._columns, accounts, kinds, self._log_id, self._places, self._letters)
        self._judge.accounts.forget_if_many()
        self._judge.kinds.forget_if_many()
        self._restart()
        return metered

    def tally(self) -> JudgedMessage:
        """The verdicts since the last call: for metrics, never for a bill."""
        judged = JudgedMessage(self._valid, self._codes, self._quarantine.accounts())
        self._valid, self._codes = 0, Counter()
        return judged

    def _dead_letter(self, message: Message, invalid: InvalidMember) -> DeadLetter:
        member, raw = member_text(invalid)
        return DeadLetter(
            log=self._log_id,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            index=invalid.index,
            account=invalid.account or account_of(message.key),
            code=_code(message.header(CODE_HEADER)) or invalid.reason.code,
            field=invalid.reason.field,
            detail=_text(message.header(PROBLEM_HEADER)) or invalid.reason.detail,
            member=member,
            raw=raw,
            received_at=message.received_at,
            source=_text(message.header(SOURCE_HEADER)),
            line=_line(message.header(LINES_HEADER), invalid.index),
        )


@lru_cache(maxsize=DISTINCT_MAX)
def _partition_of_account(partitions: int, account: str) -> int:
    """Remembered, as murmur2 takes ten microseconds a name."""
    return partition_of(encode_key(account), partitions)


def _usage_message(message: UsageMessage) -> Outgoing:
    if message.version is None:
        return Outgoing(USAGE, encode_key(message.account), message.value)
    return Outgoing(USAGE, None, message.value, ((USAGE_VERSION_HEADER, message.version),), message.partition)


def _outgoing(topic: str, message: Message, letter: DeadLetter) -> Outgoing:
    """A dead letter that fits the topic whatever the source held: a text that is too long is kept as the raw value."""
    encoded = dead_letter_messages.encode(letter)
    if len(encoded) > LETTER_BYTES_MAX:
        encoded = dead_letter_messages.encode(replace(letter, member=None, raw=message.value or b""))
    key = message.key if len(message.key or b"") <= KEY_BYTES_MAX else encode_key("", "")
    return Outgoing(topic, key, encoded)


def _code(header: bytes | None) -> DeadLetterCode | None:
    """The code that an importer gave a line; ``None`` where it gave none, or a code that nobody knows."""
    text = (header or b"").decode("utf-8", "replace")
    return next((code for code in get_args(DeadLetterCode) if code == text), None)


def _text(header: bytes | None) -> str:
    return (header or b"").decode("utf-8", "replace")[:HEADER_LENGTH_MAX]


def _line(header: bytes | None, index: int) -> int:
    """A member's line in its file: ``lines`` holds a number per member, or a single number for all; 0 without any."""
    try:
        lines = parse_json(header or b"[]")
    except NotJson:
        return 0
    numbers = [line for line in lines if type(line) is int and line >= 0] if isinstance(lines, list) else []
    return numbers[min(index, len(numbers) - 1)] if numbers else 0


def meter_agent(
    settings: Settings,
    producer: Producer,
    observe: Callable[[CheckpointMade], None] = lambda _: None,
    observe_judged: Callable[[JudgedMessage], None] = lambda _: None,
) -> Agent[Metered]:
    """The meter: a checkpoint awaits every message of usage and every dead letter before it acknowledges."""
    step = MeterStep(settings.log_id, settings.quarantine_letters)

    async def flush(metered: Metered) -> None:
        observe_judged(step.tally())
        partitions = await producer.partitions(USAGE)
        await producer.write(await asyncio.to_thread(metered.outgoing, partitions))

    return Agent(
        role="meter",
        topics=(HEARTBEATS,),
        step=step,
        flush=flush,
        pace=Pace(
            settings.meter_checkpoint_messages,
            settings.meter_checkpoint_ms,
            value_bytes=VALUE_BYTES,
            behind_intervals=BEHIND_INTERVALS,
        ),
        observe=observe,
    )
