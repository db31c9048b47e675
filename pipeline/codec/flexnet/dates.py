"""When a line was written by its server's own clock: its local date, which few lines state.

Only start lines, TIMESTAMP lines and dated prefixes state a date. Between two of them the clock passes midnight exactly
as often as there are midnights between the dates, and it passes midnight where it goes back. Three cases:

- It goes back exactly that often: every step back is a midnight.
- It goes back more often: steps of more than 12 hours are midnights, smaller ones disorder between daemons; where that
  does not give the number of midnights, the largest steps are.
- It goes back less often: the server wrote nothing for whole days, taken to be those before the later date.

Whenever another choice was possible, a note names the lines concerned and what was assumed. Behind the last stated date
a clock more than 12 hours behind is the next day. A clock at least 23 hours ahead (23:59:58 after 0:00:05) is a late
line of the day before, unless the server had not started by then. Lines before a file's first date are dated backwards
by the mirrored rule; where that puts a line after the start line that it precedes, the server was down for an unknown
time: that line and all before it have no date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final, NamedTuple

from pipeline.codec.flexnet.log_lines import BrokenLine, Line, UndatedLines
from pipeline.codec.flexnet.messages import LoggedMessage
from pipeline.model.errors import InputError

DAY_S: Final = 86_400
ROLLOVER_S: Final = 12 * 3600
"""A clock that goes back by more is the next day; by less, it is disorder between daemons (INTERFACES)."""
LATE_S: Final = 3600
"""How far behind a line may be written across midnight: the daemons write within seconds of each other."""
DISORDER_S: Final = 600
"""A step back by less is certainly disorder where the number of midnights does not need it."""
LINES_NAMED_MAX: Final = 8

_MORE_STEPS: Final = (
    "the clock goes back more often than midnights passed; the largest steps back are taken as midnights, the "
    "others as disorder"
)


Stamped = tuple[int, LoggedMessage, int, bytes, str]
"""A line with its local time: stamp, message, number, raw bytes, file.

A stamp counts seconds since 1970-01-01T00:00:00 by the server's own clock.
"""


@dataclass(frozen=True, slots=True)
class DateNote:
    """What was assumed of lines whose date could be read in more than one way."""

    source: str
    lines: tuple[int, ...]
    assumed: str

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.lines[:LINES_NAMED_MAX]))
        more = f" and {len(self.lines) - LINES_NAMED_MAX} more" if len(self.lines) > LINES_NAMED_MAX else ""
        return f"{self.source}:{self.lines[0]}: lines {shown}{more}: {self.assumed}"


def stamp_lines(
    source: str, stretches: Iterable[UndatedLines], broken: list[BrokenLine], notes: list[DateNote | str]
) -> Iterator[Stamped]:
    """One file's lines with their dates, in file order; memory holds the lines between two stated dates.

    Events before any date that could be known are added to ``broken``. Raises ``InputError`` where no line has the form
    of a debug log, or none states a date.
    """
    anchor: Line | None = None
    started = 0
    for stretch in stretches:
        dated = stretch.dated
        if dated is None:
            if anchor is None:
                raise _no_date(source, stretch)
            yield from _stamped(source, _stamps_behind(source, anchor, stretch, started, notes), stretch)
            return
        if anchor is None:
            yield from _before_first(source, stretch, dated, broken)
        elif stretch.clocks:
            yield from _stamped(source, _stamps_behind(source, anchor, stretch, started, notes), stretch)
        stamp = _stamp_of(dated)
        yield stamp, dated.message, dated.number, dated.raw, source
        started = stamp if dated.message.kind == "server_start" else started
        anchor = dated


def _stamped(source: str, stamps: list[int], stretch: UndatedLines, start: int = 0) -> Iterator[Stamped]:
    """The lines of a stretch from ``start`` on."""
    messages, numbers, raws = stretch.messages, stretch.numbers, stretch.raws
    if start:
        messages, numbers, raws = messages[start:], numbers[start:], raws[start:]
    return zip(stamps, messages, numbers, raws, repeat(source, len(stamps)), strict=True)


def _no_date(source: str, stretch: UndatedLines) -> InputError:
    if not stretch.clocks:
        return InputError(source, "no line has the form 'hh:mm:ss (daemon) message'", "Give a FlexNet debug log")
    return InputError(
        source,
        "no line states a date (a start line or TIMESTAMP)",
        "Give the whole debug log, or a piece of it that holds a TIMESTAMP line",
    )


def _stamp_of(dated: Line) -> int:
    return _day_of(dated) * DAY_S + dated.clock


def _day_of(dated: Line) -> int:
    day = dated.message.day
    assert day is not None  # noqa: S101 -- a stretch ends at a line that states its date
    return day


def _before_first(source: str, stretch: UndatedLines, first: Line, broken: list[BrokenLine]) -> Iterator[Stamped]:
    earlier = _stamps_backwards(stretch.clocks, _stamp_of(first), first.message.kind == "server_start")
    undated = len(stretch.clocks) - len(earlier)
    broken += [
        BrokenLine(
            source, stretch.numbers[index], stretch.raws[index], "undated_line", "an event before any known date"
        )
        for index in range(undated)
        if stretch.messages[index].event is not None
    ]
    return _stamped(source, earlier, stretch, undated)


def _stamps_backwards(clocks: Sequence[int], following: int, before_start: bool) -> list[int]:
    """Stamps of the lines before ``following``, the first that states its date; fewer where some have no date."""
    stamps: list[int] = []
    started, earliest = following, following
    for clock in reversed(clocks):
        stamp = earliest - earliest % DAY_S + clock
        if stamp - earliest > ROLLOVER_S:
            stamp -= DAY_S
        elif earliest - stamp >= DAY_S - LATE_S:
            stamp += DAY_S
        if before_start and stamp > started + LATE_S:
            break
        earliest = min(earliest, stamp)
        stamps.append(stamp)
    return stamps[::-1]


class _BackStep(NamedTuple):
    """A place where the clock goes back: the position of the line behind it, and by how many seconds."""

    position: int
    size: int


class _Onwards:
    """Lines behind one that states its date, by the 12-hour rule: ``stamps``, and each step back of the clock.

    ``rollovers`` are the steps taken as midnights. Without ``is_late_allowed`` no line is of the day before.
    """

    def __init__(self, anchor: Line, clocks: Sequence[int], started: int, *, is_late_allowed: bool = True) -> None:
        self.stamps: list[int] = []
        self.steps: list[_BackStep] = []
        self.rollovers: list[_BackStep] = []
        self.late: set[int] = set()
        self._latest = _stamp_of(anchor)
        self._clock = anchor.clock
        for index, clock in enumerate(clocks):
            self.stamps.append(self._add(index, clock, started, is_late_allowed))

    def _add(self, index: int, clock: int, started: int, is_late_allowed: bool) -> int:
        stamp = self._latest - self._latest % DAY_S + clock
        if is_late_allowed and stamp - self._latest >= DAY_S - LATE_S and stamp - DAY_S >= started:
            self.late.add(index)
            return stamp - DAY_S
        if clock < self._clock:
            step = _BackStep(index, self._latest - stamp if stamp < self._latest else self._clock - clock)
            self.steps.append(step)
            if self._latest - stamp > ROLLOVER_S:
                self.rollovers.append(step)
                stamp += DAY_S
        elif self._latest - stamp > ROLLOVER_S:
            self.rollovers.append(_BackStep(index, self._latest - stamp))
            self.steps.append(self.rollovers[-1])
            stamp += DAY_S
        self._latest, self._clock = max(self._latest, stamp), clock
        return stamp


def _stamps_behind(
    source: str, anchor: Line, stretch: UndatedLines, started: int, notes: list[DateNote | str]
) -> list[int]:
    """Stamps of the lines behind one that states its date."""
    return stamps_of_a_day(anchor, stretch) or plain_stamps_behind(source, anchor, stretch, started, notes)


def plain_stamps_behind(
    source: str, anchor: Line, stretch: UndatedLines, started: int, notes: list[DateNote | str]
) -> list[int]:
    """The same for lines over any days: none lies after the line that states the next date, where there is one."""
    bound = stretch.dated
    if bound is None:
        return _Onwards(anchor, stretch.clocks, started).stamps
    midnights = _day_of(bound) - _day_of(anchor)
    clocks, numbers = [*stretch.clocks, bound.clock], (*stretch.numbers, bound.number)
    onwards = _Onwards(anchor, clocks, started)
    if midnights < 0:  # the clock was set back in between: nothing bounds these lines
        return onwards.stamps[:-1]
    if onwards.late and len(onwards.rollovers) != midnights:
        plain = _Onwards(anchor, clocks, started, is_late_allowed=False)
        if len(plain.steps) == midnights or len(plain.rollovers) == midnights:
            onwards = plain
    if bound.message.kind == "server_start":  # days may have passed while it was down: small steps are no midnights
        onwards.steps = [step for step in onwards.steps if step.size >= DISORDER_S]
    steps = onwards.steps
    chosen = _choose(onwards, midnights, len(stretch.clocks))
    open_steps = [step for step in steps if step not in chosen and step.size >= DISORDER_S]
    if len(steps) > midnights and open_steps and chosen:
        named = tuple(sorted({numbers[step.position] for step in (*chosen, *open_steps)}))
        notes.append(DateNote(source, named, _MORE_STEPS))
    elif len(steps) < midnights and any(message.event is not None for message in stretch.messages):
        silent = midnights - len(steps)
        days = "1 day" if silent == 1 else f"{silent} days"
        assumed = f"{days} without a line passed before the date in line {bound.number}; taken as just before it"
        notes.append(DateNote(source, numbers[:-1], assumed))
    return _stamps_with(anchor, stretch.clocks, onwards, {step.position for step in chosen})


def stamps_of_a_day(anchor: Line, stretch: UndatedLines) -> list[int]:
    """Fast path: the stamps of lines on one day whose clocks never go back; ``[]`` where they are no such lines.

    What ``_Onwards`` gives where there is no step back, no midnight, and no line that could be a late one.
    """
    clocks, bound = [anchor.clock, *stretch.clocks], stretch.dated
    if bound is not None:
        clocks.append(bound.clock)
        if bound.message.day != anchor.message.day:
            return []
    if clocks[-1] - clocks[0] >= DAY_S - LATE_S or clocks != sorted(clocks):
        return []
    midnight = _day_of(anchor) * DAY_S
    return [midnight + clock for clock in stretch.clocks]


def _choose(onwards: _Onwards, midnights: int, last: int) -> list[_BackStep]:
    """The steps back of the clock that are midnights; ``last`` is the index of the later line that states its date."""
    if len(onwards.steps) <= midnights:
        return onwards.steps
    if len(onwards.rollovers) == midnights:
        chosen = sorted(onwards.rollovers, key=lambda step: -step.size)
    else:
        chosen = sorted(onwards.steps, key=lambda step: -step.size)[:midnights]
    into_last = [step for step in onwards.steps if step.position == last and step.size > LATE_S and step not in chosen]
    if chosen and into_last:  # or a line would lie after the dated line that follows it
        chosen = [*chosen[:-1], *into_last]
    return chosen


def _stamps_with(anchor: Line, clocks: Sequence[int], onwards: _Onwards, midnights: set[int]) -> list[int]:
    day, stamps = _day_of(anchor), list[int]()
    for index, clock in enumerate(clocks):
        day += index in midnights
        stamps.append((day - (index in onwards.late)) * DAY_S + clock)
    return stamps
