"""Heartbeats in short notation, and the ways in which the same evidence may arrive."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from pipeline.model.evidence import Heartbeat, SessionDay
from pipeline.model.instants import MINUTE_MS, at_datetime
from pipeline.rules.evidence.merge import UsageFold, fold

BEAT_MS = 5 * MINUTE_MS


def instant(text: str) -> int:
    """Parses ``2022-05-03 15:01``, optionally with seconds and milliseconds; UTC."""
    return at_datetime(datetime.fromisoformat(f"{text}+00:00"))


def heartbeat(
    opened_at: int,
    at: int,
    *,
    since: int | None = None,
    state: str = "beat",
    account: str = "acme",
    product: str = "MSTN",
    country: str = "",
    usage: str = "production",
    machine: str = "pc1",
    user: str = "eva",
    session: str = "s",
    version: str = "10.1",
    resumed_at: int | None = None,
    active_at: int | None = None,
) -> Heartbeat:
    """A heartbeat; by default it covers the time since its opening, active throughout."""
    return Heartbeat(
        account=account,
        product=product,
        country=country,
        usage=usage,
        machine=machine,
        user=user,
        session=session,
        state=state,
        opened_at=opened_at,
        since=opened_at if since is None else since,
        at=at,
        resumed_at=opened_at if resumed_at is None else resumed_at,
        active_at=at if active_at is None else active_at,
        version=version,
        platform="",
        host_session="",
    )


def beating(whole: Heartbeat, every_ms: int = BEAT_MS) -> list[Heartbeat]:
    """The same use as a client reports it: an open, a beat every few minutes, and the end."""
    if whole.since >= whole.at:
        return [whole]
    inner = [*range(whole.since, whole.at, every_ms)]
    active_at = max(min(inner[0], whole.active_at), whole.resumed_at)
    beats = [whole._replace(state="open", since=inner[0], at=inner[0], active_at=active_at)]
    for since, at in pairwise(inner):
        beats.append(
            whole._replace(state="beat", since=since, at=at, active_at=max(min(at, whole.active_at), whole.resumed_at))
        )
    return [*beats, whole._replace(since=inner[-1])]


def merged(days: Iterable[SessionDay]) -> list[SessionDay]:
    """Session days folded together, sorted by session and day."""
    usage = UsageFold()
    for day in days:
        usage.merge(day)
    return sorted(usage.session_days(), key=lambda day: (day.session, day.day))


def ways(heartbeats: Sequence[Heartbeat], seed: int = 1) -> Iterator[tuple[str, list[SessionDay]]]:
    """The session days of the same heartbeats in every order and grouping that must not matter; rows may repeat."""
    chance = random.Random(seed)  # noqa: S311 -- a repeatable shuffle
    shuffled = [*heartbeats]
    chance.shuffle(shuffled)
    cut = len(heartbeats) // 2
    yield "whole", fold(heartbeats)
    yield "one heartbeat at a time", [day for heartbeat in heartbeats for day in fold([heartbeat])]
    yield "backwards", fold(reversed(heartbeats))
    yield "every heartbeat twice", fold([heartbeat for heartbeat in heartbeats for _ in range(2)])
    yield "shuffled", fold(shuffled)
    yield "split over three folds", [day for part in range(3) for day in fold(shuffled[part::3])]
    yield "cut by a crash, then all again", [*fold(heartbeats[:cut]), *fold(heartbeats)]
    yield "cut by a crash, then the rest again", [*fold(heartbeats), *fold(heartbeats[cut:])]
