"""A day's count against what is entitled, as inline SVG: readable in black and white and by screen readers.

Steps are the count of each slot, the dashed line is what is entitled, hatching is over-use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final

from pipeline.codec.packets.language import Language, clock
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS, calendar_day
from pipeline.rules.dispute.packet import DaySeries

WIDTH: Final = 720
HEIGHT: Final = 250
LEFT: Final = 44
RIGHT: Final = 692
TOP: Final = 30
BOTTOM: Final = 214
TICK_HOURS: Final = 3
"""How far apart the times of day stand on the x axis."""
SCALE_STEPS: Final = (1, 2, 5)
"""Factors of the distance between lines of the y axis."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a day's instants and counts lie: x by time of day, y by count, from 0 at the bottom to ``top``."""

    top: int
    step: int

    @classmethod
    def of(cls, series: DaySeries) -> Scale:
        """The smallest scale by 1, 2 or 5 times a power of ten that has at most six steps."""
        highest = max(*series.counts, series.entitled, 1)
        step = next(
            factor * 10**power for power in range(20) for factor in SCALE_STEPS if 6 * factor * 10**power >= highest
        )
        return cls(-(-highest // step) * step, step)

    def x(self, of_day_ms: int) -> str:
        """The x coordinate of a time of day."""
        return _number(LEFT * DAY_MS + (RIGHT - LEFT) * of_day_ms, DAY_MS)

    def y(self, count: int) -> str:
        """The y coordinate of a count."""
        return _number(BOTTOM * self.top - (BOTTOM - TOP) * count, self.top)


def chart_svg(series: DaySeries, words: Language) -> str:
    """The chart of a day. Every id in it contains the day, so that a page may hold several charts."""
    return "\n".join(_parts(series, words))


def chart_title(series: DaySeries, words: Language) -> str:
    """What a chart shows, in a line."""
    minutes = words.number(series.slot_ms // MINUTE_MS)
    return words.say("chart_title", date=words.date(series.day * DAY_MS), minutes=minutes)


def _parts(series: DaySeries, words: Language) -> Iterator[str]:
    scale, day = Scale.of(series), calendar_day(series.day).isoformat()
    midnight, peak = series.day * DAY_MS, max(series.counts)
    description = words.say(
        "chart_desc",
        date=words.date(midnight),
        entitled=words.number(series.entitled),
        peak=words.number(peak),
        time=clock(midnight + series.counts.index(peak) * series.slot_ms),
    )
    yield (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title-{day} desc-{day}" '
        f'xmlns="http://www.w3.org/2000/svg">'
    )
    yield f'<title id="title-{day}">{escape(chart_title(series, words))}</title>'
    yield f'<desc id="desc-{day}">{escape(description)}</desc>'
    yield (
        f'<defs><pattern id="over-{day}" width="5" height="5" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="5" height="5" fill="#fff"/>'
        f'<line x1="1" y1="0" x2="1" y2="5" stroke="#000" stroke-width="1.6"/></pattern></defs>'
    )
    yield from _axes(scale, words)
    for from_ms, until_ms, count in overuse_areas(series):
        yield (
            f'<path class="over" fill="url(#over-{day})" d="M{scale.x(from_ms)},{scale.y(series.entitled)} '
            f'V{scale.y(count)} H{scale.x(until_ms)} V{scale.y(series.entitled)} Z"/>'
        )
    y = scale.y(series.entitled)
    yield f'<line class="entitled" x1="{LEFT}" y1="{y}" x2="{RIGHT}" y2="{y}"/>'
    yield f'<path class="count" d="{step_path(series, scale)}"/>'
    yield from _legend(day, words)
    yield "</svg>"


def step_path(series: DaySeries, scale: Scale) -> str:
    """The count over the day: horizontal within a slot, vertical between slots."""
    pieces, at_ms = [f"M{LEFT},{scale.y(series.counts[0])}"], 0
    for count, run in groupby(series.counts):
        pieces.append(f"V{scale.y(count)}" if at_ms else "")
        at_ms += sum(1 for _ in run) * series.slot_ms
        pieces.append(f"H{scale.x(at_ms)}")
    return " ".join(piece for piece in pieces if piece)


def overuse_areas(series: DaySeries) -> Iterator[tuple[int, int, int]]:
    """Runs of slots with the same count over what is entitled: from, until (ms of the day), count."""
    at_ms = 0
    for count, run in groupby(series.counts):
        until_ms = at_ms + sum(1 for _ in run) * series.slot_ms
        if count > series.entitled:
            yield at_ms, until_ms, count
        at_ms = until_ms


def _axes(scale: Scale, words: Language) -> Iterator[str]:
    for count in range(0, scale.top + 1, scale.step):
        y = scale.y(count)
        yield f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{RIGHT}" y2="{y}"/>'
        yield f'<text class="y" x="{LEFT - 6}" y="{y}" dy="0.35em">{escape(words.number(count))}</text>'
    for hour in range(0, 25, TICK_HOURS):
        x = scale.x(hour * HOUR_MS)
        yield f'<line class="tick" x1="{x}" y1="{BOTTOM}" x2="{x}" y2="{BOTTOM + 5}"/>'
        yield f'<text class="x" x="{x}" y="{BOTTOM + 17}">{hour:02}:00</text>'
    yield f'<text class="x" x="{(LEFT + RIGHT) // 2}" y="{BOTTOM + 33}">{escape(words.say("time_axis"))}</text>'


def _legend(day: str, words: Language) -> Iterator[str]:
    yield f'<line class="count" x1="{LEFT}" y1="12" x2="{LEFT + 28}" y2="12"/>'
    yield f'<text x="{LEFT + 34}" y="12" dy="0.35em">{escape(words.say("legend_count"))}</text>'
    yield f'<line class="entitled" x1="{LEFT + 150}" y1="12" x2="{LEFT + 178}" y2="12"/>'
    yield f'<text x="{LEFT + 184}" y="12" dy="0.35em">{escape(words.say("legend_entitled"))}</text>'
    yield (
        f'<rect x="{LEFT + 300}" y="6" width="28" height="12" fill="url(#over-{day})" stroke="#000"/>'
        f'<text x="{LEFT + 334}" y="12" dy="0.35em">{escape(words.say("legend_overuse"))}</text>'
    )


def _number(numerator: int, denominator: int) -> str:
    """A coordinate to a hundredth of a unit, computed in integers."""
    whole, part = divmod((200 * numerator + denominator) // (2 * denominator), 100)
    return f"{whole}.{part:02}" if part else str(whole)
