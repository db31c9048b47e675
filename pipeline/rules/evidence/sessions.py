"""Sessions as rules see them: all days of one session taken together (RULES 1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.model.evidence import PRODUCTION, SessionDay, SessionKey
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS
from pipeline.rules.evidence.merge import UsageFold, slots_of


@dataclass(frozen=True, slots=True)
class Session:
    """A session with its whole life: ``used_slots`` maps a UTC day to the bit set of its used base slots.

    ``version`` is the largest text any heartbeat gave, ``''`` without one.
    """

    key: SessionKey
    opened_at: int
    last_at: int
    used_slots: Mapping[int, int]
    stretches: Mapping[int, int]
    version: str = ""

    @property
    def is_production(self) -> bool:
        return self.key.usage == PRODUCTION

    def used_at(self) -> Iterator[int]:
        """The starts of the base slots that evidence touches, ascending."""
        for day in sorted(self.used_slots):
            for slot in slots_of(self.used_slots[day]):
                yield day * DAY_MS + slot * BASE_SLOT_MS


def sessions(days: Iterable[SessionDay]) -> list[Session]:
    """Take session days together by session, sorted by key; days may repeat and come in any order."""
    usage = UsageFold()
    for day in days:
        usage.merge(day)
    together: dict[SessionKey, list[SessionDay]] = {}
    for day in usage.session_days():
        together.setdefault(day.session, []).append(day)
    return [_session(key, together[key]) for key in sorted(together)]


def _session(key: SessionKey, days: list[SessionDay]) -> Session:
    stretches: dict[int, int] = {}
    for day in days:
        for resumed_at, active_at in day.stretches.items():
            stretches[resumed_at] = max(active_at, stretches.get(resumed_at, active_at))
    return Session(
        key=key,
        opened_at=min(day.opened_at for day in days),
        last_at=max(day.last_at for day in days),
        used_slots={day.day: day.used_slots for day in sorted(days, key=lambda day: day.day)},
        stretches=dict(sorted(stretches.items())),
        version=max(day.version for day in days),
    )
