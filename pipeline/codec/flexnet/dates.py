"""When a line of a FlexNet debug log was written: its local date, which few lines state, then its instant in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.codec.flexnet.log_lines import BrokenLine, Line, read_event
from pipeline.model.errors import InputError
from pipeline.model.instants import MINUTE_MS, SECOND_MS

DAY_S: Final = 86_400
ROLLOVER_S: Final = 12 * 3600
"""A clock that goes back by more is the next day; by less, it is disorder between daemons (INTERFACES)."""
LATE_S: Final = 3600
"""How far behind a line may be written across midnight: the daemons write within seconds of each other."""
REPEATED_HOUR_LATE_MS: Final = 10 * MINUTE_MS
"""In the hour that the end of summer time repeats: a step back by more is the second pass, by less disorder."""

_OFFSET_BLOCK_S: Final = 900
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class Stamped(NamedTuple):
    """A line with its local time: ``stamp`` counts seconds since 1970-01-01T00:00:00 by the server's own clock."""

    stamp: int
    text: str
    dated: bool
    starts: bool
    source: str
    number: int
    raw: bytes


def stamp_lines(source: str, lines: Sequence[Line]) -> tuple[list[Stamped], list[BrokenLine]]:
    """One file's lines with their dates, in file order, and the events that lie before any date that could be known.

    Raises ``InputError`` where no line has the form of a FlexNet debug log, or none states a date.
    """
    if not lines:
        raise InputError(source, "no line has the form 'hh:mm:ss (daemon) message'", "Give a FlexNet debug log")
    first = next((index for index, line in enumerate(lines) if line.day is not None), None)
    if first is None:
        raise InputError(
            source,
            "no line states a date (a start line or TIMESTAMP)",
            "Give the whole debug log, or a piece of it that holds a TIMESTAMP line",
        )
    later = _stamps_onwards(lines[first:])
    earlier = _stamps_backwards(lines[:first], later[0], lines[first].starts)
    undated = first - len(earlier)
    stamped = [
        Stamped(stamp, line.text, line.day is not None, line.starts, source, line.number, line.raw)
        for stamp, line in zip([*earlier, *later], lines[undated:], strict=True)
    ]
    broken = [
        BrokenLine(source, line.number, line.raw, "an event before any known date")
        for line in lines[:undated]
        if read_event(line.text) is not None
    ]
    return stamped, broken


def _stamps_onwards(lines: Sequence[Line]) -> list[int]:
    """Stamps of lines of which the first states its date; each other one follows the latest stamp before it."""
    stamps: list[int] = []
    latest = started = 0
    for line in lines:
        if line.day is not None:
            latest = stamp = line.day * DAY_S + line.clock
            started = stamp if line.starts else started
        else:
            stamp = latest - latest % DAY_S + line.clock
            if latest - stamp > ROLLOVER_S:
                stamp += DAY_S
            elif stamp - latest >= DAY_S - LATE_S and stamp - DAY_S >= started:
                stamp -= DAY_S
            latest = max(latest, stamp)
        stamps.append(stamp)
    return stamps


def _stamps_backwards(lines: Sequence[Line], following: int, before_start: bool) -> list[int]:
    """Stamps of lines before the first that states its date (``following``): the rule of ``_stamps_onwards`` mirrored.

    Fewer than the lines where a line would come after the start it precedes: nothing dates it or those before it.
    """
    stamps: list[int] = []
    started, earliest = following, following
    for line in reversed(lines):
        stamp = earliest - earliest % DAY_S + line.clock
        if stamp - earliest > ROLLOVER_S:
            stamp -= DAY_S
        elif earliest - stamp >= DAY_S - LATE_S:
            stamp += DAY_S
        if before_start and stamp > started + LATE_S:
            break
        earliest = min(earliest, stamp)
        stamps.append(stamp)
    return stamps[::-1]


class LocalTime:
    """The server's time zone: local stamps to instants. Raises ``InputError`` for a zone nobody knows."""

    def __init__(self, timezone: str) -> None:
        try:
            self._zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InputError(
                f"timezone {timezone!r}", "is not a known time zone", "Give an IANA name such as Europe/Prague"
            ) from error
        self._offsets_ms: dict[int, tuple[int, int]] = {}

    def instant(self, stamp: int, latest_at: int | None) -> int:
        """The instant of a local stamp, where ``latest_at`` was logged before it.

        A repeated local time is its first pass, unless that lies clearly before what was already logged.
        """
        block = stamp // _OFFSET_BLOCK_S
        first_ms, second_ms = self._offsets_ms.get(block) or self._offsets(block)
        at = stamp * SECOND_MS - first_ms
        if first_ms > second_ms and latest_at is not None and at < latest_at - REPEATED_HOUR_LATE_MS:
            return stamp * SECOND_MS - second_ms
        return at

    def _offsets(self, block: int) -> tuple[int, int]:
        """Offsets to UTC of a quarter of an hour's first and second pass; zones change between such quarters."""
        moment = (_EPOCH + timedelta(seconds=block * _OFFSET_BLOCK_S)).replace(tzinfo=self._zone)
        offsets = self._offsets_ms[block] = (_offset_ms(moment), _offset_ms(moment.replace(fold=1)))
        return offsets


def _offset_ms(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None, "a zone of the database has an offset at any time"  # noqa: S101
    return int(offset.total_seconds()) * SECOND_MS
