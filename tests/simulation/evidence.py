"""The auditor's own reading of raw messages: a second, plain implementation of RULES 1 with Python's ``json``."""

from __future__ import annotations

import json
from typing import Any, Final
from unicodedata import normalize

import pyarrow as pa

from pipeline.agents.consuming import Message
from tests.simulation.knowledge import Fact, Knowledge

SLOT_MS: Final = 600_000
_DAY_MS: Final = 86_400_000
_YEARS_2000_TO_2100: Final = range(946_684_800_000, 4_133_980_800_000)
_TEXTS: Final = {
    "account": True, "product": True, "machine": True, "user": True, "session": True,
    "country": False, "version": False, "platform": False, "host_session": False,
}  # fmt: skip
_TIMES: Final = {"opened_at": True, "at": True, "since": False, "resumed_at": False, "active_at": False}
_STATES: Final = ("open", "beat", "close")
_USAGES: Final = ("production", "trial", "evaluation", "pre-activation")

Member = dict[str, Any]
"""A heartbeat as JSON has it: anything can stand anywhere."""


class NotJson(ValueError):
    """A value that Python's ``json`` reads, but that is not JSON."""


def read_heartbeats(message: Message) -> tuple[int, Knowledge]:
    """The number of members of a message of ``heartbeats``, and its facts."""
    members, code = _members(message.value)
    knowledge = Knowledge()
    place = (message.partition, message.offset)
    if code:
        knowledge.letters[*place, 0] = code
        return 1, knowledge
    for index, member in enumerate(members):
        code = code_of(member)
        if code:
            knowledge.letters[*place, index] = code
            continue
        _learn(knowledge, member, message.received_at)
        delivery = (member["account"], *place)
        knowledge.deliveries[delivery] = knowledge.deliveries.get(delivery, 0) + 1
    return len(members), knowledge


def read_usage(message: Message) -> Knowledge:
    """The facts in a message of ``usage``."""
    if message.header("usage") is not None:
        return _read_arrow(message.value or b"")
    frame = json.loads(message.value or b"")
    knowledge = Knowledge()
    for row in frame["days"]:
        bits = bin(int(row["used_slots"], 16))[:1:-1]
        slots = frozenset(slot for slot, bit in enumerate(bits) if bit == "1")
        fact = Fact(
            row["opened_at"], row["last_at"], slots, dict(row["stretches"]), row["version"],
            row["received_min_at"], row["received_max_at"],
        )  # fmt: skip
        knowledge.learn_day((_session(frame["account"], row), row["day"]), fact)
    for row in frame["closes"]:
        knowledge.learn_close(_session(frame["account"], row), row["closed_at"])
    for row in frame["deliveries"]:
        knowledge.deliveries[frame["account"], row["partition"], row["offset"]] = row["heartbeats"]
    return knowledge


def _read_arrow(value: bytes) -> Knowledge:
    """The facts in the two Arrow streams of version 2."""
    knowledge, source = Knowledge(), pa.BufferReader(value)
    rows, deliveries = (pa.ipc.open_stream(source).read_all().to_pylist() for _ in range(2))
    for row in rows:
        session = _session(row["account"], row)
        if row["closed_at"]:
            knowledge.learn_close(session, row["closed_at"])
        if row["day"] >= 0:
            bits = int.from_bytes(row["used_slots"], "little")
            slots = frozenset(slot for slot in range(144) if bits >> slot & 1)
            fact = Fact(
                row["opened_at"], row["last_at"], slots, dict(row["stretches"]), row["version"],
                row["received_min_at"], row["received_max_at"],
            )  # fmt: skip
            knowledge.learn_day((session, row["day"]), fact)
    for row in deliveries:
        knowledge.deliveries[row["account"], row["partition"], row["offset"]] = row["heartbeats"]
    return knowledge


def read_dead_letter(message: Message) -> Knowledge:
    """The dead letter in a message of ``heartbeats-dlq``."""
    letter = json.loads(message.value or b"")
    place = letter["id"]
    return Knowledge(letters={(place["partition"], place["offset"], place["index"]): letter["code"]})


def code_of(member: Any) -> str:
    """The code of the first mistake of a member, ``''`` for a valid heartbeat."""
    if member is None:
        return "empty"
    if type(member) is not dict:
        return "wrong_type"
    version = member.get("v")
    if version is None:
        return "missing_field"
    if type(version) is not int or version != 1:
        return "unknown_version"
    codes = [_text_code(member.get(name), needed=needed) for name, needed in _TEXTS.items()]
    codes += [_time_code(member.get(name), needed=needed) for name, needed in _TIMES.items()]
    codes.append("" if member.get("state") in (None, *_STATES) else "unknown_state")
    codes.append("" if member.get("usage") in (None, *_USAGES) else "unknown_usage")
    return next((code for code in codes if code), "") or _times_code(member)


def _members(value: bytes | None) -> tuple[list[Any], str]:
    if not value:
        return [], "empty"
    if len(value) > 1024 * 1024:
        return [], "frame_too_large"
    try:
        parsed = json.loads(value.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError:
        return [], "bad_encoding"
    except (ValueError, RecursionError):
        return [], "bad_json"
    members = parsed if isinstance(parsed, list) else [parsed]
    return (members, "") if len(members) <= 10_000 else ([], "frame_too_large")


def _refuse(constant: str) -> None:
    raise NotJson(constant)


def _text_code(value: Any, *, needed: bool) -> str:
    if value is None:
        return "missing_field" if needed else ""
    if type(value) is not str:
        return "invalid_type"
    if value == "":
        return "empty_field"
    if len(value) > 200:
        return "field_too_long"
    is_control = any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in value)
    return "control_character" if is_control else ""


def _time_code(value: Any, *, needed: bool) -> str:
    if value is None:
        return "missing_field" if needed else ""
    if type(value) in (int, float) and abs(value) > 2**63:
        return "time_out_of_range"
    if type(value) is not int:
        return "invalid_type"
    return "" if value in _YEARS_2000_TO_2100 else "time_out_of_range"


def _times_code(member: Member) -> str:
    opened_at, at = member["opened_at"], member["at"]
    since = at if member.get("since") is None else member["since"]
    if not opened_at <= since <= at:
        return "times_out_of_order"
    if at - opened_at > 35 * _DAY_MS:
        return "span_too_long"
    resumed_at, active_at = member.get("resumed_at"), member.get("active_at")
    if (resumed_at is None) is not (active_at is None):
        return "activity_incomplete"
    if resumed_at is not None and not opened_at <= resumed_at <= active_at <= at:
        return "times_out_of_order"
    return ""


def _learn(knowledge: Knowledge, member: Member, received_at: int) -> None:
    """The facts of a heartbeat: every slot from ``since`` to ``at``, one by one."""
    texts = [member["account"], member["product"], member.get("country") or "", member.get("usage") or "production"]
    session = (*texts, _folded(member["machine"]), _folded(member["user"]), member["session"])
    at = member["at"]
    since = at if member.get("since") is None else member["since"]
    until = at + 1
    if member.get("state") == "close":
        knowledge.learn_close(session, at)
        until = at
    used = [slot for slot in range(since // SLOT_MS, at // SLOT_MS + 1) if slot * SLOT_MS < until and since < until]
    days: dict[int, set[int]] = {}
    for slot in used:
        days.setdefault(slot // 144, set()).add(slot % 144)
    stretch = {member["opened_at"]: at}
    if member.get("resumed_at") is not None:
        stretch = {member["resumed_at"]: member["active_at"]}
    for day, slots in days.items():
        stretches = stretch if day == max(days) else {}
        version = member.get("version") or ""
        fact = Fact(member["opened_at"], at, frozenset(slots), stretches, version, received_at, received_at)
        knowledge.learn_day((session, day), fact)


def _session(account: str, row: Member) -> tuple[str, ...]:
    return (account, *(row[name] for name in ("product", "country", "usage", "machine", "user", "session")))


def _folded(text: str) -> str:
    return normalize("NFC", normalize("NFC", text).casefold())
