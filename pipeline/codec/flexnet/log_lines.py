"""What one line of a debug log is: ``hh:mm:ss (daemon) message``, behind whatever prefix a log collector has put."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple, cast

from pipeline.codec.flexnet.encodings import decode_line
from pipeline.codec.json_text import NotJson, parse_json
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT, at_midnight

PREFIX_LENGTH_MAX: Final = 300
"""Longer prefixes than any collector's: a clock further along a line is part of a message."""

_PLAIN: Final = re.compile(r"\s*(\d{1,2}):(\d\d):(\d\d)\s+\(([^()\s]+)\)(?:\s+(.*))?", re.ASCII | re.DOTALL)
_PREFIXED: Final = re.compile(r"(?<![\d:.,])(\d{1,2}):(\d\d):(\d\d)\s+\(([^()\s]+)\)(?:\s+(.*))?", re.ASCII | re.DOTALL)
_EVENT_WORD: Final = re.compile(r"\b(?:OUT|IN|DENIED):\s")
_STATED: Final = re.compile(r"TIMESTAMP\b\s*(.*)", re.DOTALL)
_START: Final = re.compile(r"(?!\(@).*\bstarted on\s+(\S+).*\(([\d/]+)\)", re.ASCII | re.DOTALL)
_DAEMON_STARTED: Final = re.compile(r"Server started on\s", re.IGNORECASE)
_EXITED: Final = re.compile(r"(\S+) exited with status\b")
_RESTARTED: Final = re.compile(r"restarted (\S+)", re.IGNORECASE)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE_BEFORE_CLOCK: Final = re.compile(
    r"(?:(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"|(?P<m2>\d{1,2})/(?P<d2>\d{1,2})/(?P<y2>\d{4})"
    r"|(?P<d3>\d{1,2})[- ](?P<m3>[A-Za-z]{3})[a-z]*[- ,]+(?P<y3>\d{4})"
    r"|(?P<m4>[A-Za-z]{3})[a-z]*\.? +(?P<d4>\d{1,2}),? +(?P<y4>\d{4}))[T ,\]]*$",
    re.ASCII,
)
_DATE: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)

LineKind = Literal["message", "server_start", "daemon_start", "daemon_end"]


class Line(NamedTuple):
    """A line with a clock: ``clock`` in seconds since local midnight, ``text`` the message, trimmed.

    ``day`` (days since 1970-01-01) is set where the line states its own date. ``subject`` is the server that starts
    (``server_start``), or the daemon that starts or ends.
    """

    clock: int
    daemon: str
    text: str
    day: int | None
    kind: LineKind
    subject: str
    number: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that holds evidence nobody can read: ``line`` is its 1-based number in ``source``, ``code`` is stable."""

    source: str
    line: int
    raw: bytes
    code: str
    reason: str


def read_lines(source: str, raws: Iterable[bytes], broken: list[BrokenLine]) -> Iterator[Line]:
    """The lines of one file that carry a clock, in order; lines that cannot be read are added to ``broken``.

    A line without a clock is chatter of the daemons, unless it holds an event: then it is broken.
    """
    for number, raw in enumerate(raws, 1):
        line = _read_line(source, number, raw)
        if isinstance(line, Line):
            yield line
        elif line is not None:
            broken.append(line)


def _read_line(source: str, number: int, raw: bytes) -> Line | BrokenLine | None:
    text = decode_line(raw)
    if text.startswith('{"'):
        text = _inside_json(text)
    match = _PLAIN.match(text)
    day: int | None = None
    if match is None:
        match = _PREFIXED.search(text, 0, len(text))
        if match is None or match.start() > PREFIX_LENGTH_MAX:
            if _EVENT_WORD.search(text) is None or "(" not in text:
                return None
            return BrokenLine(source, number, raw, "unreadable_clock", "an event without a readable clock")
        day = _day_before_clock(text[: match.start()])
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3])
    if hours > 23 or minutes > 59 or seconds > 59:
        clock = f"{match[1]}:{match[2]}:{match[3]}"
        return BrokenLine(source, number, raw, "unreadable_clock", f"{clock} is not a time of day")
    message = (match[5] or "").rstrip()
    kind, subject, stated = _kind_of(match[4], message)
    if stated is not None:
        day = _day(stated)
        if day is None:
            reason = f"{stated!r} is not a date m/d/yyyy from 2000 to 2100"
            return BrokenLine(source, number, raw, "unreadable_date", reason)
    return Line(hours * 3600 + minutes * 60 + seconds, match[4], message, day, kind, subject, number, raw)


def _kind_of(daemon: str, message: str) -> tuple[LineKind, str, str | None]:
    """What a message is, whom it is about, and the date that it states of itself, as written."""
    kind, subject, stated = "message", "", None
    if message.startswith("TIMESTAMP"):
        match = _STATED.fullmatch(message)
        stated = match[1] if match else None
    elif "started on" in message:
        if match := _START.fullmatch(message):
            kind, subject, stated = "server_start", match[1], match[2]
        elif _DAEMON_STARTED.match(message):
            kind, subject = "daemon_start", daemon
    elif message.startswith("EXITING DUE TO SIGNAL"):
        kind, subject = "daemon_end", daemon
    elif "exited with status" in message and (match := _EXITED.match(message)):
        kind, subject = "daemon_end", match[1]
    elif message[:9].lower() == "restarted" and (match := _RESTARTED.match(message)):
        kind, subject = "daemon_start", match[1]
    return cast(LineKind, kind), subject, stated


def _inside_json(text: str) -> str:
    """The line inside a record of docker's json-file log; the text as it is where it is none."""
    try:
        record = parse_json(text)
    except NotJson:
        return text
    log = record.get("log") if isinstance(record, dict) else None
    return log.rstrip("\r\n") if isinstance(log, str) else text


def _day_before_clock(prefix: str) -> int | None:
    """The date that a dated prefix ends with, in days since 1970-01-01; ``None`` where there is none."""
    match = _DATE_BEFORE_CLOCK.search(prefix)
    if match is None:
        return None
    parts = match.groupdict()
    year, day = (parts[name] or parts[f"{name}2"] or parts[f"{name}3"] or parts[f"{name}4"] for name in "yd")
    month, name = parts["m"] or parts["m2"], (parts["m3"] or parts["m4"] or "").lower()
    if name:
        if name not in _MONTHS:
            return None
        month = str(_MONTHS.index(name) + 1)
    return _calendar_day(int(year), int(month), int(day))


def _day(stated: str) -> int | None:
    match = _DATE.fullmatch(stated.strip())
    return None if match is None else _calendar_day(int(match[3]), int(match[1]), int(match[2]))


def _calendar_day(year: int, month: int, day: int) -> int | None:
    try:
        midnight_at = at_midnight(date(year, month, day))
    except ValueError:
        return None
    return midnight_at // DAY_MS if EARLIEST_AT <= midnight_at < LATEST_AT else None
