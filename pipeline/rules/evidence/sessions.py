"""Sessions as rules see them: all days of a session taken together (RULES 1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pipeline.model.evidence import PRODUCTION, SessionDay, SessionKey
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS
from pipeline.rules.evidence.merge import slots_of


@dataclass(frozen=True, slots=True)
class Session:
    """A session with its whole life: ``used_slots`` maps a UTC day to the bit set of its used base slots.

    ``version`` is the largest text that any heartbeat gave, ``''`` where none did.
    """

    key: SessionKey
    opened_at: int
    last_at: int
    used_slots: Mapping[int, int]
    stretches: Mapping[int, int]
    version: str = ""

    @property
    def is_production(self) -> bool:
        """Only production use counts, anywhere in the rules."""
        return self.key.usage == PRODUCTION

    def used_at(self) -> Iterator[int]:
        """The starts of the base slots that evidence touches, ascending."""
        for day in sorted(self.used_slots):
            for slot in slots_of(self.used_slots[day]):
                yield day * DAY_MS + slot * BASE_SLOT_MS


def sessions(days: Iterable[SessionDay]) -> list[Session]:
    """Take session days together by session, sorted by key; days may repeat and come in any order."""
    by_key: dict[SessionKey, Session] = {}
    for day in days:
        by_key[day.session] = merge_day(by_key.get(day.session), day)
    return [_in_order(by_key[key]) for key in sorted(by_key)]


def merge_day(session: Session | None, day: SessionDay) -> Session:
    """A session with another of its days, or with more evidence of a day it has: minimum, maximum and union."""
    if session is None:
        return Session(
            day.session, day.opened_at, day.last_at, {day.day: day.used_slots}, dict(day.stretches), day.version
        )
    stretches = dict(session.stretches)
    for resumed_at, active_at in day.stretches.items():
        stretches[resumed_at] = max(active_at, stretches.get(resumed_at, active_at))
    return Session(
        key=session.key,
        opened_at=min(session.opened_at, day.opened_at),
        last_at=max(session.last_at, day.last_at),
        used_slots={**session.used_slots, day.day: session.used_slots.get(day.day, 0) | day.used_slots},
        stretches=stretches,
        version=max(session.version, day.version),
    )


def _in_order(session: Session) -> Session:
    """The same session with its days and stretches ascending."""
    if len(session.used_slots) == 1 and len(session.stretches) <= 1:
        return session
    used_slots, stretches = sorted(session.used_slots.items()), sorted(session.stretches.items())
    return replace(session, used_slots=dict(used_slots), stretches=dict(stretches))
