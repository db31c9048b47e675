"""What goes wrong between client and pipeline, on request: copies, disorder, lateness, lines that are no evidence.

The set of valid heartbeats stays the same: copies are exact, held-back heartbeats arrive in the end, and broken or
oversize lines are extra. So everything metered must be the same as without faults (RULES 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random
from typing import Final, NamedTuple, cast

from pipeline.codec.json_text import json_bytes, parse_json
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, FRAME_HEARTBEATS_MAX
from pipeline.fleet.plan import FleetPlan
from pipeline.model.errors import DeadLetterCode
from pipeline.model.instants import DAY_MS, HOUR_MS
from pipeline.model.text import TEXT_LENGTH_MAX
from pipeline.rules.evidence.span_limit import SPAN_MS_MAX

OVERSIZE_EVERY: Final = 1_000
"""An oversize line follows after this many heartbeats, until the plan's number is reached; the rest come at the end."""

MemberFields = dict[str, object]
"""A heartbeat as a JSON object."""


class SentLine(NamedTuple):
    """A line as it is sent. ``alone``: it must not become part of a frame, because it would spoil the whole frame."""

    line: bytes
    alone: bool


@dataclass(frozen=True, slots=True)
class BrokenWay:
    """A way to break a line, and its dead letter's code. ``alone``: the line cannot be a member of a JSON array."""

    name: str
    code: DeadLetterCode
    alone: bool
    spoil: Callable[[bytes], bytes]


def _with(name: str, change: Callable[[MemberFields], MemberFields], code: DeadLetterCode) -> BrokenWay:
    def spoil(line: bytes) -> bytes:
        fields = _fields(line)
        return json_bytes({**fields, **change(fields)})

    return BrokenWay(name, code, False, spoil)


def _fields(line: bytes) -> MemberFields:
    return cast(MemberFields, parse_json(line))


def _time(fields: MemberFields, name: str) -> int:
    time = fields[name]
    if not isinstance(time, int):
        raise TypeError(f"{name} of a valid heartbeat is an integer")
    return time


def _scaled(fields: MemberFields, scale: Callable[[int], int]) -> MemberFields:
    return {name: scale(_time(fields, name)) for name in ("opened_at", "since", "at", "resumed_at", "active_at")}


def _without(field: str) -> Callable[[bytes], bytes]:
    return lambda line: json_bytes({name: value for name, value in _fields(line).items() if name != field})


BROKEN_WAYS: Final[tuple[BrokenWay, ...]] = (
    BrokenWay("null", "empty", True, lambda _: b"null"),
    BrokenWay("truncated", "bad_json", True, lambda line: line[: len(line) // 2]),
    BrokenWay("too_deep", "bad_json", True, lambda line: line[:-1] + b',"note":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    BrokenWay("not_an_object", "wrong_type", True, lambda _: b'"MSTN 10.17 started"'),
    BrokenWay("bad_utf8", "bad_encoding", True, lambda line: line.replace(b'"user":"', b'"user":"\xe9\xff')),
    BrokenWay("missing_field", "missing_field", False, _without("session")),
    _with("empty_field", lambda _: {"machine": ""}, "empty_field"),
    _with("long_field", lambda _: {"user": "x" * (TEXT_LENGTH_MAX + 1)}, "field_too_long"),
    _with("control_character", lambda f: {"machine": f"{f['machine']}\x07"}, "control_character"),
    _with("time_as_bool", lambda _: {"opened_at": True}, "invalid_type"),
    _with("time_as_fraction", lambda f: {"at": _time(f, "at") + 0.5}, "invalid_type"),
    _with("time_as_text", lambda f: {"at": str(f["at"])}, "invalid_type"),
    BrokenWay("nan", "bad_json", True, lambda line: line[:-1] + b',"at":NaN}'),
    _with("beyond_int64", lambda _: {"at": 2**63}, "time_out_of_range"),
    _with("seconds", lambda f: _scaled(f, lambda time: time // 1_000), "time_out_of_range"),
    _with("microseconds", lambda f: _scaled(f, lambda time: time * 1_000), "time_out_of_range"),
    _with("opened_after", lambda f: {"opened_at": _time(f, "at") + 1}, "times_out_of_order"),
    BrokenWay("activity_incomplete", "activity_incomplete", False, _without("active_at")),
    _with("activity_out_of_order", lambda f: {"active_at": _time(f, "at") + 1}, "times_out_of_order"),
    _with("span_too_long", lambda f: {"opened_at": _time(f, "at") - SPAN_MS_MAX - 1}, "span_too_long"),
    _with("unknown_version", lambda _: {"v": 2}, "unknown_version"),
    _with("unknown_state", lambda _: {"state": "paused"}, "unknown_state"),
    _with("unknown_usage", lambda _: {"usage": "academic"}, "unknown_usage"),
)
"""The ways are taken in turn: the n-th broken line is broken in the n-th way."""

_FRAME_OF_COPIES: Final = FRAME_HEARTBEATS_MAX + 1
OVERSIZE_WAYS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("frame_of_too_many", lambda line: _frame([line] * _FRAME_OF_COPIES)),
    ("frame_too_long", lambda line: _frame([line] * (FRAME_BYTES_MAX // len(line) + 1))),
    ("heartbeat_too_long", lambda line: line[:-1] + b',"note":"' + b"x" * FRAME_BYTES_MAX + b'"}'),
)
"""Taken in turn. The frames hold copies of a valid heartbeat: a reader that splits them reads nothing new."""


def deliver(plan: FleetPlan, plain: Iterator[tuple[int, bytes]], tally: Counter[str]) -> Iterator[SentLine]:
    """The heartbeats ``(at, line)`` as they arrive: a delayed heartbeat waits until the others' time has passed it."""
    if not (plan.duplicates or plan.disorder or plan.late or plan.broken or plan.oversize):
        return (SentLine(line, False) for _, line in plain)
    return _spoilt(plan, plain, tally)


def packed(deliveries: Iterator[SentLine], size: int) -> Iterator[bytes]:
    """Frames of ``size`` heartbeats, fewer where they would not fit; what would spoil a frame gets its own line."""
    members: list[bytes] = []
    length = 1
    for line, alone in deliveries:
        if alone:
            yield line
            continue
        if members and (len(members) == size or length + len(line) + 1 > FRAME_BYTES_MAX):
            yield _frame(members)
            members, length = [], 1
        members.append(line)
        length += len(line) + 1
    if members:
        yield _frame(members)


def _spoilt(plan: FleetPlan, plain: Iterator[tuple[int, bytes]], tally: Counter[str]) -> Iterator[SentLine]:
    held: list[tuple[int, int, SentLine]] = []
    delays, copies = _Delays(plan, tally), _Copies(plan)
    broken = Random(f"{plan.seed}/broken")  # noqa: S311  (a simulation, not a secret)
    line, lines_broken, lines_oversize = b"", 0, 0
    for number, (at, line) in enumerate(plain, 1):
        while held and held[0][0] <= at:
            yield heappop(held)[2]
        delivery, delay_ms = SentLine(line, False), delays.draw_ms()
        if delay_ms:
            heappush(held, (at + delay_ms, 2 * number, delivery))
        else:
            yield delivery
        copy_delay_ms = copies.draw_ms()
        if copy_delay_ms is not None:
            tally["duplicates"] += 1
            if delay_ms + copy_delay_ms:
                heappush(held, (at + delay_ms + copy_delay_ms, 2 * number + 1, delivery))
            else:
                yield delivery
        if broken.random() < plan.broken:
            yield _broken(line, lines_broken, tally)
            lines_broken += 1
        if number % OVERSIZE_EVERY == 0 and lines_oversize < plan.oversize:
            yield _oversize(line, lines_oversize, tally)
            lines_oversize += 1
    while held:
        yield heappop(held)[2]
    for ordinal in range(lines_oversize, plan.oversize if line else 0):
        yield _oversize(line, ordinal, tally)


class _Delays:
    """How long each heartbeat in turn is held back: up to an hour by disorder, one to six days by lateness."""

    def __init__(self, plan: FleetPlan, tally: Counter[str]) -> None:
        self._plan, self._tally = plan, tally
        self._disorder = Random(f"{plan.seed}/disorder")  # noqa: S311  (a simulation, not a secret)
        self._late = Random(f"{plan.seed}/late")  # noqa: S311  (a simulation, not a secret)

    def draw_ms(self) -> int:
        """The delay of the next heartbeat; 0 is none."""
        displaced_ms = self._disorder.randrange(1, HOUR_MS) if self._disorder.random() < self._plan.disorder else 0
        late_ms = self._late.randrange(DAY_MS, 6 * DAY_MS) if self._late.random() < self._plan.late else 0
        if late_ms:
            self._tally["late"] += 1
        elif displaced_ms:
            self._tally["displaced"] += 1
        return late_ms or displaced_ms


class _Copies:
    """Which heartbeats are sent twice, and how much later: at once, or within the hour where disorder is asked."""

    def __init__(self, plan: FleetPlan) -> None:
        self._plan = plan
        self._chance = Random(f"{plan.seed}/duplicates")  # noqa: S311  (a simulation, not a secret)

    def draw_ms(self) -> int | None:
        """The delay of a copy of the next heartbeat; ``None`` where there is no copy."""
        if self._chance.random() >= self._plan.duplicates:
            return None
        delay_ms = self._chance.randrange(1, HOUR_MS)
        return delay_ms if self._plan.disorder else 0


def _broken(line: bytes, ordinal: int, tally: Counter[str]) -> SentLine:
    way = BROKEN_WAYS[ordinal % len(BROKEN_WAYS)]
    tally[f"broken {way.name}"] += 1
    return SentLine(way.spoil(line), way.alone)


def _oversize(line: bytes, ordinal: int, tally: Counter[str]) -> SentLine:
    name, grow = OVERSIZE_WAYS[ordinal % len(OVERSIZE_WAYS)]
    tally[f"oversize {name}"] += 1
    return SentLine(grow(line), True)


def _frame(lines: list[bytes]) -> bytes:
    return b"[" + b",".join(lines) + b"]"
