"""The meter: heartbeats in, session days out. The only validator; what is invalid goes to the dead-letter topic."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import faust
import orjson

from pipeline.agents.faust.app import build_app, raw_topics
from pipeline.agents.faust.checkpoint import Checkpoints, Fail, Made, Message, Pace, Stream
from pipeline.agents.faust.continuity import Continuity
from pipeline.agents.quarantine import Quarantine
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.dead_letter_messages import DeadLetter, member_text
from pipeline.codec.topics.heartbeats import InvalidMember, invalid_member, judge, members_of
from pipeline.codec.topics.known import KnownLayouts, Stranger
from pipeline.codec.topics.message_keys import account_of, encode_key
from pipeline.codec.topics.usage_frames import Delivery, encode_facts
from pipeline.kafka.headers import LINES_HEADER, PROBLEM_HEADER, SOURCE_HEADER
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, HEARTBEATS_QUARANTINE, USAGE
from pipeline.model.evidence import Heartbeat, SessionClose, SessionKey
from pipeline.rules.evidence.merge import DayFact, UsageFold

LETTER_BYTES_MAX = 3_500_000
"""Less than the dead-letter topic takes, with room for the key; a source message in base64 is less still."""
KEY_BYTES_MAX = 65_536
HEADER_LENGTH_MAX = 1_000
BEHIND_INTERVALS = 4
"""A checkpoint takes up to so many intervals while the meter is behind: a quarter of the rows for the sink to store."""


class JudgedMessage(NamedTuple):
    """What a meter made of heartbeats: how many were valid, how many not by code, and the accounts in quarantine."""

    valid: int
    invalid: Mapping[str, int]
    quarantined: frozenset[str]


class MeterStep:
    """Folds heartbeats, counts what each message delivered, and keeps what is invalid. No I/O."""

    def __init__(self, log_id: str, quarantine_letters_max: int = sys.maxsize) -> None:
        self._log_id = log_id
        self._quarantine = Quarantine(quarantine_letters_max)
        self._known = KnownLayouts()
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
        strangers = self._known.fold(message.value, message.received_at, delivered)
        if strangers is None:
            members, invalid = members_of(message.value)
            strangers = [Stranger(index, member) for index, member in enumerate(members)]
        for stranger in strangers:
            judged = judge(stranger.member)
            if isinstance(judged, Heartbeat):
                self._usage.add(judged, message.received_at)
                self._known.learn(stranger, judged)
                delivered[judged.account] = delivered.get(judged.account, 0) + 1
            else:
                invalid.append(invalid_member(stranger.place, stranger.member, judged))
        for account, heartbeats in delivered.items():
            self._valid += heartbeats
            place = (self._log_id, message.topic, message.partition, message.offset)
            self._deliveries[account].append(Delivery(*place, heartbeats))
        self._codes.update(one.reason.code for one in invalid)
        for one in invalid:
            self._refuse(message, one)

    def _refuse(self, message: Message, invalid: InvalidMember) -> None:
        letter = self._dead_letter(message, invalid)
        flood = self._quarantine.takes(letter.account, message.received_at)
        self._letters.append(_outgoing(HEARTBEATS_QUARANTINE if flood else HEARTBEATS_DLQ, message, letter))

    def drain(self) -> list[Outgoing]:
        """What the messages since the last drain lead to: usage frames per account, then dead letters."""
        self._known.drain(self._usage)
        facts: defaultdict[str, list[tuple[SessionKey, int, DayFact]]] = defaultdict(list)
        closes: defaultdict[str, list[SessionClose]] = defaultdict(list)
        for one in self._usage.facts():
            facts[one[0].account].append(one)
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
        """What was judged since last asked: for metrics, never for a bill."""
        told = JudgedMessage(self._valid, self._codes, self._quarantine.accounts())
        self._valid, self._codes = 0, Counter()
        return told

    def _dead_letter(self, message: Message, invalid: InvalidMember) -> DeadLetter:
        member, raw = member_text(invalid)
        return DeadLetter(
            log=self._log_id,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            index=invalid.index,
            account=invalid.account or account_of(message.key),
            code=invalid.reason.code,
            field=invalid.reason.field,
            detail=_text(message.header(PROBLEM_HEADER)) or invalid.reason.detail,
            member=member,
            raw=raw,
            received_at=message.received_at,
            source=_text(message.header(SOURCE_HEADER)),
            line=_line(message.header(LINES_HEADER), invalid.index),
        )


def _outgoing(topic: str, message: Message, letter: DeadLetter) -> Outgoing:
    """A dead letter that the topic takes, whatever the source held: too long a text is kept as the raw value."""
    encoded = dead_letter_messages.encode(letter)
    if len(encoded) > LETTER_BYTES_MAX:
        encoded = dead_letter_messages.encode(replace(letter, member=None, raw=message.value or b""))
    key = message.key if len(message.key or b"") <= KEY_BYTES_MAX else encode_key("", "")
    return Outgoing(topic, key, encoded)


def _text(header: bytes | None) -> str:
    return (header or b"").decode("utf-8", "replace")[:HEADER_LENGTH_MAX]


def _line(header: bytes | None, index: int) -> int:
    """The line a member stood on: ``lines`` holds one number per member, or one for all; 0 where it is not told."""
    try:
        lines = orjson.loads(header or b"[]")
    except orjson.JSONDecodeError:
        return 0
    numbers = [line for line in lines if type(line) is int and line >= 0] if isinstance(lines, list) else []
    return numbers[min(index, len(numbers) - 1)] if numbers else 0


def build_meter(
    settings: Settings,
    producer: Producer,
    fail: Fail,
    observe: Callable[[Made], None] = lambda _: None,
    tell: Callable[[JudgedMessage], None] = lambda _: None,
) -> faust.App:
    """The meter's app: a checkpoint awaits every usage frame and dead letter before it acknowledges."""
    app = build_app(settings, "meter", fail)
    step = MeterStep(settings.log_id, settings.quarantine_letters)

    async def flush(outgoing: list[Outgoing]) -> None:
        tell(step.tally())
        await producer.write(outgoing)

    pace = Pace(settings.meter_checkpoint_messages, settings.meter_checkpoint_ms, behind_intervals=BEHIND_INTERVALS)
    checkpoints = Checkpoints(step, flush, pace, fail, observe, Continuity(settings.kafka_bootstrap, app.conf.id))

    @app.agent(raw_topics(app, HEARTBEATS), concurrency=1, name="meter")
    async def meter(stream: Stream) -> None:
        await checkpoints.run(stream)

    return app
