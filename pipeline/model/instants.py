"""Time as Seatbeat counts it: integer epoch milliseconds UTC, half-open intervals, floor division (RULES).

Instants are plain ``int`` with a name that ends in ``_at`` or ``_ms``. Calendar types appear only here, in
parsing and printing; arithmetic never needs them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

BASE_SLOT_MS: Final = 10 * MINUTE_MS
"""The slot that evidence is stored in; a policy's slots are made of whole ones."""
SLOTS_PER_DAY: Final = DAY_MS // BASE_SLOT_MS

EARLIEST_AT: Final = 946_684_800_000
"""2000-01-01T00:00:00Z, the first instant evidence may carry (RULES 1)."""
LATEST_AT: Final = 4_133_980_800_000
"""2101-01-01T00:00:00Z, the first instant after the range evidence may carry (RULES 1: 2000-2100)."""

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_QUARTER: Final = re.compile(r"(\d{4})Q([1-4])", re.ASCII)


def day_of(at: int) -> int:
    """The UTC day that holds an instant, as days since 1970-01-01."""
    return at // DAY_MS


def at_midnight(day: date) -> int:
    """The instant a UTC calendar day begins."""
    return (day.toordinal() - _EPOCH_ORDINAL) * DAY_MS


def calendar_day(day: int) -> date:
    """The calendar date of a day number (days since 1970-01-01)."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def at_datetime(moment: datetime) -> int:
    """The instant of an aware datetime, rounded down to the millisecond."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a time zone names no instant")
    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since_epoch.days * DAY_MS + since_epoch.seconds * SECOND_MS + since_epoch.microseconds // 1000


def iso(at: int) -> str:
    """An instant as users read it: ``2022-05-03T09:10:00Z``, rounded down to the second."""
    seconds, day = at % DAY_MS // SECOND_MS, calendar_day(at // DAY_MS)
    return f"{day.isoformat()}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}Z"


def iso_exact(at: int) -> str:
    """An instant that something is decided by, to the millisecond where it needs one: ``2022-05-03T09:10:00.001Z``."""
    rest_ms = at % SECOND_MS
    return f"{iso(at)[:-1]}.{rest_ms:03}Z" if rest_ms else iso(at)


def iso_date(at: int) -> str:
    """The UTC date of an instant: ``2022-05-03``."""
    return calendar_day(day_of(at)).isoformat()


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar quarter, half-open ``[start_at, end_at)``; ``name`` as users write it: ``2022Q2``."""

    name: str
    start_at: int
    end_at: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read ``2022Q2``. Raises ``ValueError`` naming the form expected."""
        match = _QUARTER.fullmatch(text)
        if match is None or not 2000 <= int(match[1]) <= 2100:
            raise ValueError(f"{text!r} is not a calendar quarter such as 2022Q2 (years 2000 to 2100)")
        year, quarter = int(match[1]), int(match[2])
        first, following = date(year, 3 * quarter - 2, 1), date(year + quarter // 4, 3 * quarter % 12 + 1, 1)
        return cls(text, at_midnight(first), at_midnight(following))

    @classmethod
    def containing(cls, at: int) -> Period:
        """The quarter that holds an instant."""
        day = calendar_day(day_of(at))
        return cls.parse(f"{day.year:04}Q{(day.month + 2) // 3}")

    def contains(self, at: int) -> bool:
        """Whether an instant lies in the quarter."""
        return self.start_at <= at < self.end_at
