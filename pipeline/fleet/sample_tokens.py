"""The sample fleet's AutoCAD, charged in tokens by the day: who used it, what was left open, what cost nothing.

Two people exchange drawings on fixed weekdays, a third helps for four days. On a Friday the third leaves AutoCAD open
and idle until Monday, which costs only Friday's window. A glance of four minutes costs nothing. Some tokens are left
of the older of two packs when it expires.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.fleet.plan import Interval, PlannedSession
from pipeline.fleet.working_days import Member
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS, Period, day_of

PRODUCT: Final = "ACD"
_VERSION: Final = "24.1.51.0"
_TUESDAY, _THURSDAY = 5, 0
"""Days since 1970-01-01, a Thursday, modulo 7."""


@dataclass(frozen=True, slots=True)
class TokenStory:
    """What happens with tokens, and the result: windows, each at 7 tokens, and what expires of the older pack."""

    idle: PlannedSession
    glance: PlannedSession
    exchange: tuple[PlannedSession, ...]
    windows: int = 31
    rate: int = 7
    granted: int = 600
    expired: int = 65

    @property
    def sessions(self) -> tuple[PlannedSession, ...]:
        """Every session of the story."""
        return (*self.exchange, self.glance, self.idle)


def token_story(members: tuple[Member, ...], period: Period) -> TokenStory:
    """The story of a fleet's tokens in a quarter of 2022."""
    first, second, third = members[7], members[26], members[44]
    friday_at = period.start_at + 35 * DAY_MS
    idle = _session(
        "idle", third, (friday_at + 8 * HOUR_MS + 3 * MINUTE_MS, friday_at + 3 * DAY_MS + 7 * HOUR_MS),
        (friday_at + 8 * HOUR_MS + 3 * MINUTE_MS, friday_at + 8 * HOUR_MS + 41 * MINUTE_MS),
    )  # fmt: skip
    glance_at = period.start_at + 46 * DAY_MS + 11 * HOUR_MS
    glance = _session("glance", third, (glance_at, glance_at + 4 * MINUTE_MS))
    helping = [period.start_at + (53 + number) * DAY_MS + 9 * HOUR_MS for number in range(4)]
    exchange = (
        *_on_weekdays("import", first, _TUESDAY, period),
        *_on_weekdays("export", second, _THURSDAY, period),
        *(
            _session(f"help-{number}", third, (at, at + 2 * HOUR_MS + number * MINUTE_MS))
            for number, at in enumerate(helping, 1)
        ),
    )
    return TokenStory(idle, glance, exchange)


def _on_weekdays(name: str, member: Member, weekday: int, period: Period) -> Iterator[PlannedSession]:
    """An hour and a half every week, a little later each time, so that no window reaches into the next use."""
    days = [day for day in range(day_of(period.start_at), day_of(period.end_at)) if day % 7 == weekday]
    for number, day in enumerate(days, 1):
        opened_at = day * DAY_MS + 7 * HOUR_MS + number * MINUTE_MS
        yield _session(f"{name}-{number:02}", member, (opened_at, opened_at + 90 * MINUTE_MS))


def _session(name: str, member: Member, whole: Interval, active: Interval | None = None) -> PlannedSession:
    return PlannedSession(
        PRODUCT, _VERSION, member.machine, member.user, f"tokens-{name}", (whole,), (active or whole,)
    )
