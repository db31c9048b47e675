"""What one line of a FlexNet debug log says: ``hh:mm:ss (daemon) message``, one event or one date at most."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple, cast

from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT, at_midnight
from pipeline.model.text import CONTROL_CHARACTER

EventKind = Literal["OUT", "IN", "DENIED", "UNSUPPORTED"]

LICENSES_MAX: Final = 10_000
"""More licences than any one line of a working server moves: beyond it the line is broken, not a flood of sessions."""
NAME_LENGTH_MAX: Final = 200
"""The longest text a heartbeat may hold (INTERFACES, Heartbeat)."""

_LINE: Final = re.compile(r"\s*(\d{1,2}):(\d\d):(\d\d)\s+(\([^()\s]+\).*)", re.ASCII | re.DOTALL)
_EVENT_WITHOUT_CLOCK: Final = re.compile(r"(?<![^\s)])(?:OUT|IN|DENIED|UNSUPPORTED): *\"")
_TIMESTAMP: Final = re.compile(r"\([^()\s]+\)\s+TIMESTAMP\b\s*(.*)", re.DOTALL)
_START: Final = re.compile(r"\([^()\s]+\)\s+(?!\(@).*\bstarted on\b.*\(([\d/]+)\)", re.ASCII | re.DOTALL)
_DATE: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_EVENT: Final = re.compile(
    r"\([^()\s]+\)\s+(OUT|IN|DENIED|UNSUPPORTED):\s*(?:\"([^\"]+)\"|([^\s\"]+))?\s*(.*)", re.DOTALL
)
_VENDOR_KEY: Final = re.compile(r"\([^()]*\)\s+")
_PLACE: Final = re.compile(r"(.+?)@([^\s@]+)(?=\s*$|\s+[(\[^]|\s\s)(.*)", re.DOTALL)
_LAST_PLACE: Final = re.compile(r"(.+)@([^\s@]+)(.*)", re.DOTALL)
_LICENSES: Final = re.compile(r"\((\d+) licenses?\)", re.ASCII)


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that holds evidence nobody can read: ``line`` is its 1-based number in ``source``."""

    source: str
    line: int
    raw: bytes
    reason: str


class Line(NamedTuple):
    """A line with a clock: ``clock`` in seconds since local midnight, ``text`` all that follows it, trimmed.

    ``day`` (days since 1970-01-01) is set where the line states its own date; ``starts`` where the server started.
    """

    clock: int
    text: str
    day: int | None
    starts: bool
    number: int
    raw: bytes


class Event(NamedTuple):
    """A checkout, a return or a refusal; ``remark`` is what follows the host."""

    kind: EventKind
    feature: str
    user: str
    host: str
    licenses: int
    remark: str


def read_lines(source: str, raws: Iterable[bytes]) -> tuple[list[Line], list[BrokenLine]]:
    """The lines of one file that carry a clock, in order, and those whose clock or date cannot be read.

    A line without a clock is the daemons' chatter, unless it holds an event: then it is broken.
    """
    lines: list[Line] = []
    broken: list[BrokenLine] = []
    for number, raw in enumerate(raws, 1):
        read = _read_line(number, raw)
        if isinstance(read, Line):
            lines.append(read)
        elif read is not None:
            broken.append(BrokenLine(source, number, raw, read))
    return lines, broken


def read_event(text: str) -> Event | str | None:
    """The event a line's text states, the reason why it is unreadable, or ``None`` where it states none."""
    match = _EVENT.match(text)
    if match is None:
        return None
    kind, feature, rest = cast("EventKind", match[1]), match[2] or match[3], match[4]
    if kind in {"DENIED", "UNSUPPORTED"} and rest.startswith("("):
        rest = _VENDOR_KEY.sub("", rest, count=1)
    place = _PLACE.match(rest) or _LAST_PLACE.match(rest)
    if feature is None or place is None:
        return f"{kind} without a readable {'feature' if feature is None else 'user@host'}"
    user, host, remark = place.groups()
    count = _LICENSES.search(remark)
    licenses = 1 if count is None else int(count[1][:9])
    if not 1 <= licenses <= LICENSES_MAX:
        return f"{licenses} licenses: one line moves 1 to {LICENSES_MAX}"
    unfit = _unfit("feature", feature) or _unfit("user", user) or _unfit("host", host)
    return unfit or Event(kind, feature, user, host, licenses, remark.strip())


def decode(raw: bytes) -> str:
    """A line's text: UTF-8, else Windows-1252, else Latin-1, whose control characters then give a broken name away."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _unfit(name: str, value: str) -> str | None:
    """Why no heartbeat may hold this text (INTERFACES, Heartbeat)."""
    if len(value) > NAME_LENGTH_MAX:
        return f"the {name} is longer than {NAME_LENGTH_MAX} characters"
    if CONTROL_CHARACTER.search(value):
        return f"the {name} holds a control character, or bytes that are neither UTF-8 nor Windows-1252"
    return None


def _read_line(number: int, raw: bytes) -> Line | str | None:
    text = decode(raw)
    match = _LINE.match(text.removeprefix("\ufeff") if number == 1 else text)
    if match is None:
        return "an event without a readable clock" if _EVENT_WITHOUT_CLOCK.search(text) else None
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3])
    if hours > 23 or minutes > 59 or seconds > 59:
        return f"{match[1]}:{match[2]}:{match[3]} is not a time of day"
    clock, text = hours * 3600 + minutes * 60 + seconds, match[4].rstrip()
    stated, starts = _stated_date(text)
    if stated is None:
        return Line(clock, text, None, False, number, raw)
    day = _day(stated)
    return (
        f"{stated!r} is not a date m/d/yyyy from 2000 to 2100"
        if day is None
        else Line(clock, text, day, starts, number, raw)
    )


def _stated_date(text: str) -> tuple[str | None, bool]:
    """The date a line states of itself, as written, and whether it is the start of a server."""
    if "TIMESTAMP" in text and (match := _TIMESTAMP.fullmatch(text)):
        return match[1], False
    if "started on" in text and (match := _START.fullmatch(text)):
        return match[1], True
    return None, False


def _day(stated: str) -> int | None:
    match = _DATE.fullmatch(stated)
    if match is None:
        return None
    try:
        midnight_at = at_midnight(date(int(match[3]), int(match[1]), int(match[2])))
    except ValueError:
        return None
    return midnight_at // DAY_MS if EARLIEST_AT <= midnight_at < LATEST_AT else None
