"""Small random fleets as clients send them: frames with duplicates, disorder, broken members and poison."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final, NamedTuple

from pipeline.codec.topics.message_keys import encode_key
from tests.simulation.broker import Headers
from tests.simulation.evidence import Member

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_MIDNIGHT: Final = 1_651_536_000_000
"""2022-05-03T00:00:00Z."""


class Sent(NamedTuple):
    """A message as a client writes it to ``heartbeats``."""

    key: bytes | None
    value: bytes | None
    headers: Headers


_FIELDS_GONE_WRONG: Final[tuple[Member, ...]] = (
    {"v": None},
    {"v": 2},
    {"v": True},
    {"account": None},
    {"account": 7},
    {"user": ""},
    {"session": "s" * 201},
    {"machine": "ws\u0007"},
    {"country": ["CZ"]},
    {"opened_at": None},
    {"at": "2022-05-03"},
    {"at": True},
    {"at": 1_651_568_460},
    {"at": 2**70},
    {"active_at": 1.5},
    {"active_at": 1_651_568_460_000},
    {"since": 4_133_980_799_999},
    {"state": "idle"},
    {"usage": {"kind": "production"}},
    {"opened_at": 1_640_000_000_000},
)
_NOT_HEARTBEATS: Final[tuple[Any, ...]] = (None, 3, "heartbeat", [[]], [], False)
_POISON: Final[tuple[bytes | None, ...]] = (
    None,
    b"",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"v":1,"account":"stu',
    b"[NaN]",
    b"[1,]",
    b"[" * 3_000,
    b'"' + "設計".encode()[:4] + b'"',
    b"[" + b"0," * 10_000 + b"0]",
)


def messages(chance: Random) -> list[Sent]:
    """All messages of the clients, in the order in which they start sending them."""
    members: list[Any] = [
        heartbeat for session in range(chance.randint(3, 8)) for heartbeat in _session(chance, session)
    ]
    members += chance.choices(members, k=len(members) // 5)
    members += [_broken(chance, chance.choice(members)) for _ in range(chance.randint(1, 6))]
    if chance.random() < 0.8:
        chance.shuffle(members)
    sent = []
    while members:
        size = chance.choice((1, 1, 2, 4, 7))
        frame, members = members[:size], members[size:]
        value = frame[0] if size == 1 and isinstance(frame[0], dict) and chance.random() < 0.7 else frame
        sent.append(Sent(_key(chance, frame), json.dumps(value, ensure_ascii=chance.random() < 0.5).encode(), ()))
    for poison in chance.sample(_POISON, chance.randint(1, 4)):
        headers = ((("source", b"fleet.ndjson"), ("lines", b"[7]")) if chance.random() < 0.5 else ())  # fmt: skip
        sent.insert(chance.randint(0, len(sent)), Sent(_key(chance, []), poison, headers))
    return sent


def _session(chance: Random, number: int) -> Iterator[Member]:
    """The heartbeats of a session. It may last over midnights, and heartbeats may disagree on its opening."""
    opened_at = _MIDNIGHT + chance.randint(-6 * 60, 30 * 60) * _MINUTE_MS + chance.randrange(_MINUTE_MS)
    length_ms = chance.choice((4, 10, 47, 300, 1_700, 3_100)) * _MINUTE_MS
    beats = sorted(chance.randint(0, length_ms) for _ in range(chance.randint(1, 8)))
    session: Member = {
        "v": 1,
        "account": chance.choice(("studio", "studio", "Škoda Praha a. s.", "設計")),
        "product": chance.choice(("MSTN", "MSTN", "ORD")),
        "machine": f"{chance.choice(('WS', 'ws', 'ß'))}-{chance.randint(1, 3)}",
        "user": chance.choice(("Jana", "JANA", "petr", "Evá", "Eva\u0301")),
        "session": f"s{number}",
    }
    if chance.random() < 0.3:
        session["usage"] = chance.choice(("production", "trial", "evaluation"))
    if chance.random() < 0.5:
        session["country"] = "CZ"
    last_at = opened_at
    for beat in beats:
        at = opened_at + beat
        heartbeat = session | {"opened_at": opened_at, "at": at, "version": f"10.{chance.randint(1, 12)}"}
        if chance.random() < 0.6:
            heartbeat["since"] = last_at
        if chance.random() < 0.3:
            heartbeat["opened_at"] = chance.randint(opened_at, heartbeat.get("since", at))
        if chance.random() < 0.4:
            resumed_at = chance.randint(heartbeat["opened_at"], at)
            heartbeat |= {"resumed_at": resumed_at, "active_at": chance.randint(resumed_at, at)}
        last_at = at
        yield heartbeat
    while chance.random() < 0.5:
        at = last_at + chance.choice((0, 1, 5 * _MINUTE_MS, _DAY_MS))
        closing = session | {"state": "close", "opened_at": opened_at, "at": at}
        yield closing if chance.random() < 0.5 else closing | {"since": last_at}


def _broken(chance: Random, member: Member) -> Any:
    if chance.random() < 0.3:
        return chance.choice(_NOT_HEARTBEATS)
    return member | chance.choice(_FIELDS_GONE_WRONG)


def _key(chance: Random, frame: list[Any]) -> bytes | None:
    """The key of account and user; sometimes a wrong key, bytes that are not a tuple, or none."""
    kind = chance.random()
    if kind < 0.1:
        return None
    if kind < 0.2:
        return b"\x00\x00\x00\xffshort"
    first = frame[0] if frame and isinstance(frame[0], dict) else {}
    if kind < 0.3 or not isinstance(first.get("account"), str) or not first.get("user"):
        return encode_key("nobody", str(chance.randint(0, 9)))
    return encode_key(first["account"], first["user"])
