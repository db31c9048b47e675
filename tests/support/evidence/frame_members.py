"""Members of frames, each decoded alone and in a frame between two valid neighbours."""

from __future__ import annotations

from typing import Final

import orjson

from pipeline.codec.json_text import Json
from pipeline.codec.topics.heartbeats import decode
from pipeline.model.errors import DEAD_LETTER_CODES, InvalidHeartbeat
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import DAY_MS

AT: Final = 1_651_569_060_000
OPENED_AT: Final = AT - 600_000
MINIMAL: Final[dict[str, Json]] = {
    "v": 1,
    "account": "acme",
    "product": "MSTN",
    "machine": "ws-0123",
    "user": "jana@acme.example",
    "session": "s1",
    "opened_at": OPENED_AT,
    "at": AT,
}
NEIGHBOUR: Final[dict[str, Json]] = {**MINIMAL, "session": "neighbour"}
"""The valid member before and after the tested member of a frame."""
EARLIEST_AT: Final = 946_684_800_000
LAST_AT: Final = 4_133_980_799_999
SPAN_MS: Final = 35 * DAY_MS
REQUIRED_TEXTS: Final = ("account", "product", "machine", "user", "session")
OPTIONAL_TEXTS: Final = ("country", "version", "platform", "host_session")
REQUIRED_TIMES: Final = ("opened_at", "at")
OPTIONAL_TIMES: Final = ("since", "resumed_at", "active_at")
TEXTS: Final = (*REQUIRED_TEXTS, *OPTIONAL_TEXTS)
TIMES: Final = (*REQUIRED_TIMES, *OPTIONAL_TIMES)


def with_fields(**changes: Json) -> dict[str, Json]:
    return {**MINIMAL, **changes}


def without(*names: str) -> dict[str, Json]:
    return {name: value for name, value in MINIMAL.items() if name not in names}


def in_a_frame(member: bytes) -> bytes:
    neighbour = orjson.dumps(NEIGHBOUR)
    return b"[%s,%s,%s]" % (neighbour, member, neighbour)


def accepted(member: dict[str, Json]) -> Heartbeat:
    """The heartbeat of a valid member, the same alone and in a frame."""
    alone, framed = decode(orjson.dumps(member)), decode(in_a_frame(orjson.dumps(member)))
    assert alone.invalid == framed.invalid == []
    assert framed.heartbeats[1] == alone.heartbeats[0]
    return alone.heartbeats[0]


def refused(member: Json | bytes) -> InvalidHeartbeat:
    """Why a member is a dead letter: the same alone and in a frame, where its neighbours stay valid."""
    content = member if isinstance(member, bytes) else orjson.dumps(member)
    alone, framed = decode(content), decode(in_a_frame(content))
    assert alone.heartbeats == []
    assert [heartbeat.session for heartbeat in framed.heartbeats] == ["neighbour", "neighbour"]
    assert [letter.index for letter in alone.invalid] == [0]
    assert [letter.index for letter in framed.invalid] == [1]
    assert alone.invalid[0].reason == framed.invalid[0].reason
    assert alone.invalid[0].member == framed.invalid[0].member == orjson.loads(content)
    assert alone.invalid[0].account == framed.invalid[0].account
    return alone.invalid[0].reason


def whole(value: bytes | None) -> InvalidHeartbeat:
    """Why a whole value is a single dead letter that holds its bytes."""
    decoded = decode(value)
    assert decoded.heartbeats == []
    [invalid] = decoded.invalid
    assert (invalid.index, invalid.account, invalid.member, invalid.reason.field) == (0, "", value or b"", "")
    return invalid.reason


def code_and_field(reason: InvalidHeartbeat) -> tuple[str, str]:
    assert reason.code in DEAD_LETTER_CODES
    assert reason.detail
    assert "\n" not in reason.detail
    return reason.code, reason.field
