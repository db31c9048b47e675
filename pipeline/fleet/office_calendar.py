"""When a Czech office works: its time zone, its weekdays and its public holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from pipeline.model.instants import at_datetime, calendar_day

OFFICE: Final = ZoneInfo("Europe/Prague")

_FIXED_HOLIDAYS: Final = frozenset(
    {(1, 1), (5, 1), (5, 8), (7, 5), (7, 6), (9, 28), (10, 28), (11, 17), (12, 24), (12, 25), (12, 26)}
)
"""(month, day) of the public holidays of Czech law 245/2000 that have a fixed date."""


def is_working_day(day: int) -> bool:
    """Whether the office works: Monday to Friday, except on public holidays. ``day`` counts days since 1970-01-01."""
    when = calendar_day(day)
    return when.weekday() < 5 and (when.month, when.day) not in _FIXED_HOLIDAYS and when not in _easter_days(when.year)


def local_midnight_at(day: int) -> int:
    """Twelve hours before noon in the office: 00:00 there, except in the nights of a clock change."""
    noon = datetime.combine(calendar_day(day), datetime.min.time().replace(hour=12), tzinfo=OFFICE)
    return at_datetime(noon.astimezone(UTC) - timedelta(hours=12))


@cache
def _easter_days(year: int) -> frozenset[date]:
    """Good Friday and Easter Monday (Meeus, Jones and Butcher's rule for the Gregorian calendar)."""
    century, in_century = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (in_century // 4) - epact - in_century % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    sunday = date(year, month, day + 1)
    return frozenset({sunday - timedelta(days=2), sunday + timedelta(days=1)})
