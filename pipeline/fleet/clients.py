"""A seeded fleet of licence clients: what each of them sends, line by line (INTERFACES, Heartbeat).

A fleet is a ``plan`` whose ``working_days`` are drawn from its seed. Here sessions become heartbeats, which ``faults``
then spoils as far as the plan asks. Everything streams: only the sessions of a day, and what faults hold back, are in
memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from heapq import heappop, heappush, heapreplace
from typing import Final

from pipeline.codec.json_text import json_bytes
from pipeline.fleet.faults import deliver, packed
from pipeline.fleet.plan import FleetPlan, FleetProduct, PlannedSession
from pipeline.fleet.sample_story import DemoStory, StoryEvent, demo_plan, demo_story
from pipeline.fleet.working_days import days_of_sessions

__all__ = [
    "DemoStory",
    "FleetPlan",
    "FleetProduct",
    "PlannedSession",
    "StoryEvent",
    "demo_plan",
    "demo_story",
    "fleet",
    "heartbeats_of",
    "planned_sessions",
]

_Sending = tuple[int, int, bytes, Iterator[tuple[int, bytes]]]
"""A client about to send: ``at``, the number of its session in the fleet, the line, and what it sends afterwards."""

_OPERATION_LAG_MS: Final = 37_000
"""While a user works, the last operation is less than this long before a heartbeat."""


def planned_sessions(plan: FleetPlan) -> tuple[PlannedSession, ...]:
    """Every session of the fleet, in order of opening. Raises ``InputError`` where the plan cannot be played."""
    plan.validate()
    return tuple(session for _, sessions in days_of_sessions(plan) for session in sessions)


def fleet(plan: FleetPlan, tally: Counter[str] | None = None) -> Iterator[bytes]:
    """The fleet's lines, without line ends, in order of event time except where the plan's faults move them.

    ``tally`` is counted up as lines are taken: ``sessions``, ``heartbeats`` (distinct and valid), and per fault
    ``duplicates``, ``displaced``, ``late``, ``broken <way>`` and ``oversize <way>``. Raises ``InputError`` at the call,
    before the first line, where the plan cannot be played.
    """
    plan.validate()
    counted: Counter[str] = Counter() if tally is None else tally
    deliveries = deliver(plan, _in_event_time(plan, counted), counted)
    if plan.frames:
        return packed(deliveries, plan.frames)
    return (delivery.line for delivery in deliveries)


def heartbeats_of(plan: FleetPlan, session: PlannedSession) -> Iterator[tuple[int, bytes]]:
    """What the session's client sends, in order, each with its ``at``.

    It beats while awake, and once more when it falls asleep. After waking up it starts again with ``since = at``. Every
    other heartbeat continues where the heartbeat before it ended. The last heartbeat closes the session.
    """
    identity = {
        "v": 1,
        "account": plan.account,
        "product": session.product,
        "version": session.version,
        "machine": session.machine,
        "user": session.user,
        "session": session.session,
    }
    rest = {"usage": session.usage, "country": plan.country, "platform": "windows"}
    head, tail = json_bytes(identity)[:-1], b"," + json_bytes(rest)[1:]
    opened_at, stretch = session.opened_at, 0
    resumed_at, idle_at = session.active[0]
    active_at = resumed_at
    for state, since, at in _beats(session, plan.beat_ms):
        while stretch + 1 < len(session.active) and session.active[stretch + 1][0] <= at:
            stretch += 1
            resumed_at, idle_at = session.active[stretch]
            active_at = resumed_at
        active_at = max(active_at, min(idle_at, at - at % _OPERATION_LAG_MS))
        yield (
            at,
            b'%b,"state":"%b","opened_at":%d,"since":%d,"at":%d,"resumed_at":%d,"active_at":%d%b'
            % (head, state, opened_at, since, at, resumed_at, active_at, tail),
        )


def _beats(session: PlannedSession, beat_ms: int) -> Iterator[tuple[bytes, int, int]]:
    """``(state, since, at)`` of each heartbeat."""
    last = len(session.awake) - 1
    for place, (woken_at, asleep_at) in enumerate(session.awake):
        yield b"beat" if place else b"open", woken_at, woken_at
        since = woken_at
        for at in range(woken_at + beat_ms, asleep_at, beat_ms):
            yield b"beat", since, at
            since = at
        yield b"close" if place == last else b"beat", since, asleep_at


def _in_event_time(plan: FleetPlan, tally: Counter[str]) -> Iterator[tuple[int, bytes]]:
    """All heartbeats with their ``at``, merged over the open sessions; sessions start in order of opening."""
    sending: list[_Sending] = []
    for _, sessions in days_of_sessions(plan):
        for session in sessions:
            while sending and sending[0][0] < session.opened_at:
                yield _send_next(sending, tally)
            client = heartbeats_of(plan, session)
            at, line = next(client)
            heappush(sending, (at, tally["sessions"], line, client))
            tally["sessions"] += 1
    while sending:
        yield _send_next(sending, tally)


def _send_next(sending: list[_Sending], tally: Counter[str]) -> tuple[int, bytes]:
    at, ordinal, line, client = sending[0]
    following = next(client, None)
    if following is None:
        heappop(sending)
    else:
        heapreplace(sending, (following[0], ordinal, following[1], client))
    tally["heartbeats"] += 1
    return at, line
