"""The meter: heartbeats in, session days out. The only validator; invalid members go to the dead-letter topic."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, get_args

from pipeline.agents.consuming import Agent, CheckpointMade, Message, Pace
from pipeline.agents.quarantine import Quarantine
from pipeline.agents.replayed_letters import at_first_place
from pipeline.codec.json_text import NotJson, parse_json
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.dead_letter_messages import DeadLetter, member_text
from pipeline.codec.topics.heartbeats import InvalidMember, invalid_member, judge, members_of
from pipeline.codec.topics.known import KnownLayouts, Stranger
from pipeline.codec.topics.message_keys import account_of, encode_key
from pipeline.codec.topics.usage_frames import Delivery, encode_facts
from pipeline.kafka.headers import CODE_HEADER, LINES_HEADER, PROBLEM_HEADER, SOURCE_HEADER
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, HEARTBEATS_QUARANTINE, USAGE
from pipeline.model.errors import DeadLetterCode
from pipeline.model.evidence import Heartbeat, SessionClose, SessionKey
from pipeline.rules.evidence.merge import DayFact, UsageFold

LETTER_BYTES_MAX = 3_500_000
"""Less than the dead-letter topic accepts, with room for the key. A whole source message in base64 always fits."""
KEY_BYTES_MAX = 65_536
HEADER_LENGTH_MAX = 1_000
BEHIND_INTERVALS = 4
"""While the meter is behind a checkpoint takes up to so many intervals: the sink then stores a quarter of the rows."""


class JudgedMessage(NamedTuple):
    """A meter's verdicts: valid heartbeats, invalid members by code, and the accounts in quarantine."""

    valid: int
    invalid: Mapping[str, int]
    quarantined: frozenset[str]


class MeterStep:
    """Folds heartbeats, counts the valid ones of each message, and keeps invalid members. No I/O."""

    def __init__(self, log_id: str, quarantine_letters_max: int = sys.maxsize) -> None:
        self._log_id = log_id
        self._quarantine = Quarantine(quarantine_letters_max)
        self._layouts = KnownLayouts()
        self._restart()
        self._valid, self._codes = 0, Counter[str]()

    def _restart(self) -> None:
        self._usage = UsageFold()
        self._deliveries: defaultdict[str, list[Delivery]] = defaultdict(list)
        self._letters: list[Outgoing] = []

    def take(self, message: Message) -> None:
        """Judge and fold every heartbeat of a message. Never raises for bad data."""
        invalid: list[InvalidMember] = []
        delivered: dict[str, int] = {}
        strangers = self._layouts.fold(message.value, message.received_at, delivered)
        if strangers is None:
            members, invalid = members_of(message.value)
            strangers = [Stranger(index, member) for index, member in enumerate(members)]
        for stranger in strangers:
            judged = judge(stranger.member)
            if isinstance(judged, Heartbeat):
                self._usage.add(judged, message.received_at)
                self._layouts.learn(stranger, judged)
                delivered[judged.account] = delivered.get(judged.account, 0) + 1
            else:
                invalid.append(invalid_member(stranger.place, stranger.member, judged))
        for account, heartbeats in delivered.items():
            self._valid += heartbeats
            place = (self._log_id, message.topic, message.partition, message.offset)
            self._deliveries[account].append(Delivery(*place, heartbeats))
        self._codes.update(member.reason.code for member in invalid)
        for member in invalid:
            self._refuse(message, member)

    def _refuse(self, message: Message, invalid: InvalidMember) -> None:
        letter = at_first_place(self._dead_letter(message, invalid), message)
        flood = self._quarantine.takes(letter.account, message.received_at)
        self._letters.append(_outgoing(HEARTBEATS_QUARANTINE if flood else HEARTBEATS_DLQ, message, letter))

    def drain(self) -> list[Outgoing]:
        """The output of the messages since the last drain: usage frames per account, then dead letters."""
        self._layouts.drain(self._usage)
        facts: defaultdict[str, list[tuple[SessionKey, int, DayFact]]] = defaultdict(list)
        closes: defaultdict[str, list[SessionClose]] = defaultdict(list)
        for session, day, fact in self._usage.facts():
            facts[session.account].append((session, day, fact))
        for close in self._usage.closes():
            closes[close.session.account].append(close)
        outgoing = [
            Outgoing(USAGE, encode_key(account), frame)
            for account in sorted(self._deliveries)
            for frame in encode_facts(account, facts[account], closes[account], self._deliveries[account])
        ]
        outgoing += self._letters
        self._restart()
        return outgoing

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
) -> Agent[list[Outgoing]]:
    """The meter: a checkpoint awaits every usage frame and dead letter before it acknowledges."""
    step = MeterStep(settings.log_id, settings.quarantine_letters)

    async def flush(outgoing: list[Outgoing]) -> None:
        observe_judged(step.tally())
        await producer.write(outgoing)

    return Agent(
        role="meter",
        topics=(HEARTBEATS,),
        step=step,
        flush=flush,
        pace=Pace(settings.meter_checkpoint_messages, settings.meter_checkpoint_ms, behind_intervals=BEHIND_INTERVALS),
        observe=observe,
    )
