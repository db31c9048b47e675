"""Silent machines: those whose evidence may still be missing (RULES 7).

RULES 7: "silent = machines with an unclosed session unheard for 30 min", up to where evidence is complete. Only
production use is looked at, because only that counts; and only sessions last heard within a range of time, because
nothing more is to be expected of a session that broke off long ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.model.evidence import SessionKey
from pipeline.model.instants import DAY_MS, MINUTE_MS, Period
from pipeline.rules.evidence.sessions import Session

SILENT_AFTER_MS: Final = 30 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class SilentMachine:
    """A machine with unclosed sessions: how many, when any was last heard, users and reported codes."""

    machine: str
    sessions: int
    last_at: int
    users: tuple[str, ...]
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SilentRange:
    """Sessions last heard in ``[from_at, until_at]`` are silent, if nothing closed them."""

    from_at: int
    until_at: int

    @classmethod
    def of(cls, complete_until: int, lateness_days: int, period: Period | None = None) -> SilentRange:
        """The range that is silent where evidence is complete up to an instant.

        With a period: sessions last heard in it. Without: as far back as clients may still deliver evidence.
        """
        until_at = complete_until - SILENT_AFTER_MS
        if period is None:
            return cls(complete_until - lateness_days * DAY_MS, until_at)
        return cls(period.start_at, min(until_at, period.end_at - 1))


def silent_machines(
    sessions: Iterable[Session], closed_at: Mapping[SessionKey, int], silent: SilentRange
) -> tuple[SilentMachine, ...]:
    """The silent machines of an account, sorted by name. ``closed_at``: the latest close of each session.

    This is the plain reference; the store asks the same in SQL (``store/silent_sessions.py``), and a property holds the
    two equal.
    """
    by_machine: dict[str, list[Session]] = {}
    for session in sessions:
        is_unclosed = closed_at.get(session.key, session.last_at - 1) < session.last_at
        if session.is_production and is_unclosed and silent.from_at <= session.last_at <= silent.until_at:
            by_machine.setdefault(session.key.machine, []).append(session)
    return tuple(
        SilentMachine(
            machine=machine,
            sessions=len(unheard),
            last_at=max(session.last_at for session in unheard),
            users=tuple(sorted({session.key.user for session in unheard})),
            products=tuple(sorted({session.key.product for session in unheard})),
        )
        for machine, unheard in sorted(by_machine.items())
    )
