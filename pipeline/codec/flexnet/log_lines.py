"""What one line of a debug log is: ``hh:mm:ss (daemon) message``, behind whatever prefix a log collector has put."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from pipeline.codec.flexnet.encodings import decode_line
from pipeline.codec.flexnet.messages import (
    LoggedMessage,
    UnreadableDate,
    calendar_day_number,
    read_message,
    read_usual_message,
)
from pipeline.codec.json_text import NotJson, parse_json

PREFIX_LENGTH_MAX: Final = 300
"""Longer prefixes than any collector's: a clock further along a line is part of a message."""
MESSAGES_REMEMBERED: Final = 50_000
"""Beyond so many they are forgotten, so that a log of which no two lines are alike takes no more memory."""

_PLAIN: Final = re.compile(r"\s*(\d{1,2}):(\d\d):(\d\d)\s+\(([^()\s]+)\)(?:\s+(.*))?", re.ASCII | re.DOTALL)
_PREFIXED: Final = re.compile(r"(?<![\d:.,])(\d{1,2}):(\d\d):(\d\d)\s+\(([^()\s]+)\)(?:\s+(.*))?", re.ASCII | re.DOTALL)
_EVENT_WORD: Final = re.compile(r"\b(?:OUT|IN|DENIED):\s")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE_BEFORE_CLOCK: Final = re.compile(
    r"(?:(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"|(?P<m2>\d{1,2})/(?P<d2>\d{1,2})/(?P<y2>\d{4})"
    r"|(?P<d3>\d{1,2})[- ](?P<m3>[A-Za-z]{3})[a-z]*[- ,]+(?P<y3>\d{4})"
    r"|(?P<m4>[A-Za-z]{3})[a-z]*\.? +(?P<d4>\d{1,2}),? +(?P<y4>\d{4}))[T ,\]]*$",
    re.ASCII,
)
_Key = TypeVar("_Key", bytes, str)
_MINUTES: Final = {
    form % (hour, minute): hour * 3600 + minute * 60
    for hour in range(24)
    for minute in range(60)
    for form in (b"%2d:%02d", b"%02d:%02d")
}
"""``hh:mm`` as the daemons write it, in seconds since midnight."""
_SECONDS: Final = {b":%02d" % second: second for second in range(60)}


class Line(NamedTuple):
    """A line with a clock: ``clock`` in seconds since local midnight, ``number`` from 1 in its file."""

    clock: int
    message: LoggedMessage
    number: int
    raw: bytes


@dataclass(slots=True)
class UndatedLines:
    """Lines that follow one another and state no date, as columns, and the line behind them that states one.

    ``dated`` is ``None`` at the end of a file.
    """

    clocks: list[int] = field(default_factory=list)
    messages: list[LoggedMessage] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    raws: list[bytes] = field(default_factory=list)
    dated: Line | None = None


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that holds evidence nobody can read: ``line`` is its 1-based number in ``source``, ``code`` is stable."""

    source: str
    line: int
    raw: bytes
    code: str
    reason: str


class LineReader:
    """Reads the lines of one run's files. Messages that were read before are looked up by the bytes behind the clock.

    Nearly all lines begin with a clock of eight bytes of ASCII. What is behind says the same wherever it stands: such a
    line is no UTF-16, so its bytes are decoded one by one or in groups that begin behind the clock.
    """

    def __init__(self) -> None:
        self._messages: dict[bytes, LoggedMessage] = {}
        self._texts: dict[str, LoggedMessage] = {}
        """The same by decoded text, for lines that begin with something else."""

    def stretches(self, source: str, raws: Iterable[bytes], broken: list[BrokenLine]) -> Iterator[UndatedLines]:
        """The lines of one file that carry a clock, in order; lines that cannot be read are added to ``broken``.

        A line without a clock is chatter of the daemons, unless it holds an event: then it is broken.
        """
        stretch = UndatedLines()
        remembered = self._messages.get
        clocks, messages, numbers, kept = stretch.clocks, stretch.messages, stretch.numbers, stretch.raws
        for number, raw in enumerate(raws, 1):
            minutes, seconds = _MINUTES.get(raw[:5]), _SECONDS.get(raw[5:8])
            message = None
            if minutes is not None and seconds is not None:
                clock, behind = minutes + seconds, raw[8:]
                message = remembered(behind)
                if message is None:
                    message = read_usual_message(behind)
                    if message is not None:
                        _remember(self._messages, behind, message)
            if message is None:
                line = self.read_plainly(source, number, raw)
                if line is None:
                    continue
                if isinstance(line, BrokenLine):
                    broken.append(line)
                    continue
                clock, message, _, _ = line
            if message.day is None:
                clocks.append(clock)
                messages.append(message)
                numbers.append(number)
                kept.append(raw)
            else:
                stretch.dated = Line(clock, message, number, raw)
                yield stretch
                stretch = UndatedLines()
                clocks, messages, numbers, kept = stretch.clocks, stretch.messages, stretch.numbers, stretch.raws
        yield stretch

    def read_plainly(self, source: str, number: int, raw: bytes) -> Line | BrokenLine | None:
        """A line in any form, decoded and matched; ``None`` where it is chatter without a clock."""
        text = decode_line(raw)
        if text.startswith('{"'):
            text = _inside_json(text)
        match = _PLAIN.match(text)
        day: int | None = None
        has_usual_clock = match is not None and raw[:5] in _MINUTES and raw[5:8] in _SECONDS
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
        if has_usual_clock:
            message = _remembered(self._messages, raw[8:], match)
        else:
            message = _remembered(self._texts, text[match.end(3) :], match)
        if isinstance(message, UnreadableDate):
            reason = f"{message.stated!r} is not a date m/d/yyyy from 2000 to 2100"
            return BrokenLine(source, number, raw, "unreadable_date", reason)
        if day is not None and message.day is None:
            message = message._replace(day=day)
        return Line(hours * 3600 + minutes * 60 + seconds, message, number, raw)


def _remembered(
    messages: dict[_Key, LoggedMessage], behind_clock: _Key, match: re.Match[str]
) -> LoggedMessage | UnreadableDate:
    message = messages.get(behind_clock)
    if message is not None:
        return message
    read = read_message(match[4], (match[5] or "").rstrip())
    if isinstance(read, LoggedMessage):
        _remember(messages, behind_clock, read)
    return read


def _remember(messages: dict[_Key, LoggedMessage], behind_clock: _Key, message: LoggedMessage) -> None:
    if len(messages) >= MESSAGES_REMEMBERED:
        messages.clear()
    messages[behind_clock] = message


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
    return calendar_day_number(int(year), int(month), int(day))
