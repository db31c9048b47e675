"""Bytes to heartbeats: the only validator of evidence (RULES 1, INTERFACES Heartbeat).

A Kafka value is a heartbeat or a frame: a JSON array of heartbeats, or, behind ``LINES_MARK``, lines of a file, each a
heartbeat. Every member is judged by itself: an invalid member becomes an ``InvalidMember`` and its neighbours are still
used. Nothing here raises on bad input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

from pipeline.codec.json_text import Json, NotJson, parse_json, parse_json_lines
from pipeline.model.errors import DeadLetterCode, InvalidHeartbeat
from pipeline.model.evidence import PRODUCTION, STATES, USAGES, Heartbeat
from pipeline.model.instants import EARLIEST_AT, LATEST_AT
from pipeline.model.text import CONTROL_CHARACTER, TEXT_LENGTH_MAX, fold
from pipeline.rules.evidence.span_limit import invalid_times

VERSION: Final = 1
"""Of the format of a heartbeat."""
FRAME_BYTES_MAX: Final = 1_048_576
"""Of a Kafka value with heartbeats."""
FRAME_HEARTBEATS_MAX: Final = 10_000
"""Members of a frame."""
LINES_MARK: Final = b"\x1e\n"
"""Begins a frame of lines. JSON never begins so, and neither does a line of a file, which has no line end in it."""

_REQUIRED_TEXTS: Final = ("account", "product", "machine", "user", "session")
_OPTIONAL_TEXTS: Final = ("country", "version", "platform", "host_session")
_REQUIRED_TIMES: Final = ("opened_at", "at")
_OPTIONAL_TIMES: Final = ("since", "resumed_at", "active_at")

Member = Json | bytes
"""A parsed member of a frame, or the bytes of a line that is not JSON."""


@dataclass(frozen=True, slots=True)
class InvalidMember:
    """A member of a frame that goes to the dead-letter topic.

    ``index`` is its place in the frame (0 for the whole value), ``account`` the account it names, ``''`` if none.
    ``member`` is the parsed JSON, or the raw bytes where the value could not be parsed.
    """

    index: int
    account: str
    member: Member
    reason: InvalidHeartbeat


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a Kafka value holds: the valid heartbeats in order, and the invalid members."""

    heartbeats: list[Heartbeat]
    invalid: list[InvalidMember]


def decode(value: bytes | None) -> Decoded:
    """Judge every heartbeat in a Kafka value. Never raises: what is invalid is in ``invalid``."""
    members, invalid = members_of(value)
    heartbeats: list[Heartbeat] = []
    for index, member in enumerate(members):
        judged = judge(member)
        if isinstance(judged, Heartbeat):
            heartbeats.append(judged)
        else:
            invalid.append(invalid_member(index, member, judged))
    return Decoded(heartbeats, invalid)


def members_of(value: bytes | None) -> tuple[Sequence[Member], list[InvalidMember]]:
    """The members of a Kafka value, not judged yet; or no members, and what is wrong with the whole value."""
    if not value:
        return _whole(b"", "empty", "the message has no value")
    if len(value) > FRAME_BYTES_MAX:
        return _whole(value, "frame_too_large", f"{len(value):,} bytes; the limit is {FRAME_BYTES_MAX:,}")
    return _members_of_lines(value) if value.startswith(LINES_MARK) else _members_of_json(value)


def _members_of_json(value: bytes) -> tuple[Sequence[Member], list[InvalidMember]]:
    try:
        parsed = parse_json(value)
    except NotJson as error:
        return _whole(value, *_not_json(value, error))
    if not isinstance(parsed, list):
        return [parsed], []
    if len(parsed) > FRAME_HEARTBEATS_MAX:
        return _whole(value, "frame_too_large", f"{len(parsed):,} heartbeats; the limit is {FRAME_HEARTBEATS_MAX:,}")
    return parsed, []


def _members_of_lines(value: bytes) -> tuple[Sequence[Member], list[InvalidMember]]:
    lines = value[len(LINES_MARK) :].split(b"\n")
    if len(lines) > FRAME_HEARTBEATS_MAX:
        return _whole(value, "frame_too_large", f"{len(lines):,} lines; the limit is {FRAME_HEARTBEATS_MAX:,}")
    try:
        return parse_json_lines(lines), []
    except NotJson:
        return [*map(_parsed_line, lines)], []


def _parsed_line(line: bytes) -> Member:
    try:
        return parse_json(line)
    except NotJson:
        return line.rstrip(b"\r")


def invalid_member(index: int, member: Member, reason: InvalidHeartbeat) -> InvalidMember:
    """A member that is not a heartbeat, with its place and the account it names."""
    return InvalidMember(index, _account_named(member), member, reason)


def judge(member: Member) -> Heartbeat | InvalidHeartbeat:
    """A member of a frame as a heartbeat, or the first thing wrong with it.

    This is the form in which the rules are written. ``codec/columns/heartbeat_columns.py`` judges many at once, and
    must agree with it.
    """
    if isinstance(member, bytes):
        return _unparsed(member)
    if not isinstance(member, dict):
        if member is None:
            return InvalidHeartbeat("empty", "", "null instead of a heartbeat")
        return InvalidHeartbeat("wrong_type", "", f"a heartbeat is a JSON object, not {_json_type(member)}")
    problem = next(filter(None, _field_problems(member)), None)
    return _assemble(member) if problem is None else problem


def _unparsed(line: bytes) -> InvalidHeartbeat:
    """What is wrong with a line that is not JSON."""
    try:
        parse_json(line)
    except NotJson as error:
        code, detail = _not_json(line, error)
        return InvalidHeartbeat(code, "", detail)
    raise AssertionError("the line is JSON")


def _field_problems(member: dict[str, Json]) -> Iterator[InvalidHeartbeat | None]:
    """What is wrong with each field by itself, in the order in which it is reported."""
    yield _version_problem(member)
    for name in _REQUIRED_TEXTS:
        yield _text_problem(member, name, required=True)
    for name in _OPTIONAL_TEXTS:
        yield _text_problem(member, name, required=False)
    for name in _REQUIRED_TIMES:
        yield _time_problem(member, name, required=True)
    for name in _OPTIONAL_TIMES:
        yield _time_problem(member, name, required=False)
    yield _choice_problem(member, "state", "unknown_state", STATES)
    yield _choice_problem(member, "usage", "unknown_usage", USAGES)


def _assemble(member: dict[str, Json]) -> Heartbeat | InvalidHeartbeat:
    """A heartbeat of fields that are valid by themselves, if their times agree."""
    opened_at, at = cast(int, member["opened_at"]), cast(int, member["at"])
    since = cast(int | None, member.get("since"))
    resumed_at, active_at = cast(int | None, member.get("resumed_at")), cast(int | None, member.get("active_at"))
    since = at if since is None else since
    invalid = invalid_times(opened_at, since, at, resumed_at, active_at)
    if invalid is not None:
        return invalid
    texts = cast(dict[str, str | None], member)
    return Heartbeat(
        account=cast(str, texts["account"]),
        product=cast(str, texts["product"]),
        country=texts.get("country") or "",
        usage=texts.get("usage") or PRODUCTION,
        machine=fold(cast(str, texts["machine"])),
        user=fold(cast(str, texts["user"])),
        session=cast(str, texts["session"]),
        state=texts.get("state") or "beat",
        opened_at=opened_at,
        since=since,
        at=at,
        resumed_at=opened_at if resumed_at is None else resumed_at,
        active_at=at if active_at is None else active_at,
        version=texts.get("version") or "",
        platform=texts.get("platform") or "",
        host_session=texts.get("host_session") or "",
    )


def _choice_problem(
    member: dict[str, Json], name: str, code: DeadLetterCode, choices: frozenset[str]
) -> InvalidHeartbeat | None:
    value = member.get(name)
    if value is None or (isinstance(value, str) and value in choices):
        return None
    return InvalidHeartbeat(code, name, f"{_shown(value)} is none of {', '.join(sorted(choices))}")


def _version_problem(member: dict[str, Json]) -> InvalidHeartbeat | None:
    version = member.get("v")
    if version is None:
        return InvalidHeartbeat("missing_field", "v", "v, the version of the format, is missing")
    if type(version) is not int or version != VERSION:
        return InvalidHeartbeat("unknown_version", "v", f"{_shown(version)} is not a version this program reads (1)")
    return None


def _text_problem(member: dict[str, Json], name: str, *, required: bool) -> InvalidHeartbeat | None:
    text = member.get(name)
    if text is None:
        return InvalidHeartbeat("missing_field", name, f"{name} is missing") if required else None
    if not isinstance(text, str):
        return InvalidHeartbeat("invalid_type", name, f"{name} must be a text, not {_json_type(text)}")
    if not text:
        return InvalidHeartbeat("empty_field", name, f"{name} is empty")
    if len(text) > TEXT_LENGTH_MAX:
        return InvalidHeartbeat("field_too_long", name, f"{name} has {len(text):,} characters; the limit is 200")
    if not text.isprintable() and CONTROL_CHARACTER.search(text):
        return InvalidHeartbeat("control_character", name, f"{name} holds a control character")
    return None


def _time_problem(member: dict[str, Json], name: str, *, required: bool) -> InvalidHeartbeat | None:
    time = member.get(name)
    if time is None:
        return InvalidHeartbeat("missing_field", name, f"{name} is missing") if required else None
    if type(time) is not int:
        if isinstance(time, float) and not -(2**63) < time < 2**63:  # integers that orjson reads as floats, too
            return InvalidHeartbeat("time_out_of_range", name, f"{name} is beyond any date")
        detail = f"{name} must be an integer (epoch milliseconds), not {_json_type(time)}"
        return InvalidHeartbeat("invalid_type", name, detail)
    if not EARLIEST_AT <= time < LATEST_AT:
        detail = f"{name} {time} is outside the years 2000 to 2100; epoch milliseconds are expected"
        return InvalidHeartbeat("time_out_of_range", name, detail)
    return None


def _whole(value: bytes, code: DeadLetterCode, detail: str) -> tuple[list[Json], list[InvalidMember]]:
    return [], [InvalidMember(0, "", value, InvalidHeartbeat(code, "", detail))]


def _not_json(text: bytes, error: ValueError) -> tuple[DeadLetterCode, str]:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as wrong:
        return "bad_encoding", f"byte {wrong.start} is not UTF-8"
    return "bad_json", f"not JSON: {error}"


def _account_named(member: Member) -> str:
    account = member.get("account") if isinstance(member, dict) else None
    return account if isinstance(account, str) and 0 < len(account) <= TEXT_LENGTH_MAX else ""


def _shown(value: Json) -> str:
    text = _json_type(value) if isinstance(value, dict | list) else repr(value)  # repr of deep values raises
    return text if len(text) <= 40 else f"{text[:37]}..."


def _json_type(value: Json) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number with a fraction", str: "a text", list: "an array"}
    return names.get(type(value), "an object")
