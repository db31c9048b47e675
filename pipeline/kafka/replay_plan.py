"""Dead letters sent again: as messages of ``heartbeats``, so that a replay is a merge and the meter judges anew.

Evidence is not altered. A member that is valid since the validator was fixed is metered; any other stays the dead
letter it was: headers name its place and when it was received. Members with the same bytes are sent as one message.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline import __version__
from pipeline.codec.json_text import Json, json_bytes, parse_json
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, decode
from pipeline.codec.topics.letter_ids import LetterId, id_of, write_id
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.headers import LINES_HEADER, RECEIVED_HEADER, REPLAYS_HEADER, SOURCE_HEADER
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.topics import COMMANDS, CONTRACTS, HEARTBEATS
from pipeline.model.errors import LICENCE_LOG_CODES
from pipeline.model.text import TEXT_LENGTH_MAX

LOG_PREFIX: Final = "replay:"
"""The log of an embedded replay is named with it."""


@dataclass(frozen=True, slots=True)
class Unreplayable:
    """A dead letter that cannot be sent again, and why."""

    place: LetterId
    reason: str


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """The messages of a replay, in order; ``replayed`` names the dead letter that each message holds.

    ``valid`` heartbeats and ``invalid`` members by code are the verdict of this version's validator on the messages.
    """

    chosen: int
    replayed: tuple[LetterId, ...]
    messages: tuple[Outgoing, ...]
    unreplayable: tuple[Unreplayable, ...]
    valid: int
    invalid: Mapping[str, int]

    @property
    def log_id(self) -> str:
        """The name of the log that these messages make up on an embedded broker.

        The same dead letters judged by the same version are the same log, so replaying them again adds nothing.
        """
        digest = hashlib.sha256()
        for part in (__version__, *(write_id(place) for place in self.replayed)):
            digest.update(len(part).to_bytes(8, "big") + part.encode("utf-8"))
        return f"{LOG_PREFIX}{digest.hexdigest()[:32]}"


def plan_replay(letters: Iterable[DeadLetter]) -> ReplayPlan:
    """What to send for dead letters in any order. Of equal ones only the first original is sent."""
    messages: dict[tuple[bytes, bytes], tuple[LetterId, Outgoing]] = {}
    unreplayable: list[Unreplayable] = []
    invalid: Counter[str] = Counter()
    chosen = valid = 0
    for letter in sorted(letters, key=_original_first):
        chosen += 1
        place, value = id_of(letter), _value(letter)
        if problem := _problem(letter, value):
            unreplayable.append(Unreplayable(place, problem))
            continue
        key = _key(letter)
        if (key, value) not in messages:
            messages[key, value] = place, Outgoing(HEARTBEATS, key, value, _headers(letter))
            decoded = decode(value)
            valid += len(decoded.heartbeats)
            invalid.update(member.reason.code for member in decoded.invalid)
    return ReplayPlan(
        chosen=chosen,
        replayed=tuple(place for place, _ in messages.values()),
        messages=tuple(message for _, message in messages.values()),
        unreplayable=tuple(unreplayable),
        valid=valid,
        invalid=dict(sorted(invalid.items())),
    )


def _original_first(letter: DeadLetter) -> tuple[bool, LetterId]:
    """Dead letters of an earlier replay come last, so that replaying both replays the originals."""
    return letter.log.startswith(LOG_PREFIX), id_of(letter)


def _value(letter: DeadLetter) -> bytes:
    """A member as a message of its own; in a frame if it could be mistaken for a frame itself."""
    if letter.member is None:
        return letter.raw
    member = letter.member.encode("utf-8")
    return member if member.startswith(b"{") else b"[%s]" % member


def _problem(letter: DeadLetter, value: bytes) -> str:
    if letter.topic in {COMMANDS, CONTRACTS}:
        return f"{letter.code}: it is no evidence; post it again, corrected, to {letter.topic}"
    if letter.code in LICENCE_LOG_CODES:
        return f"{letter.code}: it is a line of a licence log; run the log again with a reader that can read it"
    if letter.code == "frame_too_large":
        return (
            "frame_too_large: its end may not have been kept, and it would be too large again; split it at its sender"
        )
    if len(value) > FRAME_BYTES_MAX:
        return f"{letter.code}: alone it takes {len(value):,} bytes, and a message may take {FRAME_BYTES_MAX:,}"
    return ""


def _key(letter: DeadLetter) -> bytes:
    """The key by the member's account and user; without an account, that of the first message's key."""
    member = parse_json(letter.member) if letter.member is not None else None
    named = member if isinstance(member, dict) else {}
    return encode_key(_name(named.get("account")) or letter.account, _name(named.get("user")))


def _name(value: Json) -> str:
    return value if isinstance(value, str) and len(value) <= TEXT_LENGTH_MAX else ""


def _headers(letter: DeadLetter) -> tuple[tuple[str, bytes], ...]:
    headers = [
        (REPLAYS_HEADER, write_id(id_of(letter)).encode("ascii")),
        (RECEIVED_HEADER, str(letter.received_at).encode("ascii")),
    ]
    if letter.source:
        headers.append((SOURCE_HEADER, letter.source.encode("utf-8")))
    if letter.line:
        headers.append((LINES_HEADER, json_bytes([letter.line])))
    return tuple(headers)
