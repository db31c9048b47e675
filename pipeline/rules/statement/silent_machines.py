"""Silent machines: whose evidence may still be missing (RULES 7).

A machine is silent when a session on it was not closed and has not been heard for half an hour, up to where evidence
is complete. Only production use, as only that counts; only sessions last heard within a range of time, as one that
broke off long ago has nothing more to say.
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
    """A machine with unclosed sessions: how many, the last instant one of them was heard, users and reported codes."""

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

        Of a period, what was last heard in it; else as far back as clients may still deliver evidence.
        """
        until_at = complete_until - SILENT_AFTER_MS
        if period is None:
            return cls(complete_until - lateness_days * DAY_MS, until_at)
        return cls(period.start_at, min(until_at, period.end_at - 1))


def silent_machines(
    sessions: Iterable[Session], closed_at: Mapping[SessionKey, int], silent: SilentRange
) -> tuple[SilentMachine, ...]:
    """The silent machines of one account, sorted by name. ``closed_at``: the latest close heard of each session.

    This is the plain reference; the store asks the same in SQL, and a property holds the two equal.
    """
    found: dict[str, list[Session]] = {}
    for one in sessions:
        unclosed = closed_at.get(one.key, one.last_at - 1) < one.last_at
        if one.is_production and unclosed and silent.from_at <= one.last_at <= silent.until_at:
            found.setdefault(one.key.machine, []).append(one)
    return tuple(
        SilentMachine(
            machine=machine,
            sessions=len(unheard),
            last_at=max(one.last_at for one in unheard),
            users=tuple(sorted({one.key.user for one in unheard})),
            products=tuple(sorted({one.key.product for one in unheard})),
        )
        for machine, unheard in sorted(found.items())
    )
