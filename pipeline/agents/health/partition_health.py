"""Whether a worker does its work: each partition moves while it has lag, and the store answers.

``/healthz`` fails when restarting the process may help: a partition has lag and has not moved for a while although
the store answers. ``/readyz`` fails while the process cannot work: no assignment yet, or the store out of reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from aiohttp import web

from pipeline.agents.health.metrics import Metrics


class PartitionState(NamedTuple):
    """Where a consumer group stands in one partition: the next offset to commit, and the end of the log."""

    committed: int
    end: int


Place = tuple[str, str, int]
"""Role, topic, partition."""


@dataclass(slots=True)
class _Seen:
    committed: int
    moved_at: int


class Health:
    """The last known state of every partition and of the store. ``now`` is epoch ms, given by the caller."""

    def __init__(self, roles: tuple[str, ...], stall_ms: int) -> None:
        self._roles, self._stall_ms = roles, stall_ms
        self._seen: dict[Place, _Seen] = {}
        self._behind: dict[Place, int] = {}
        self._store_reason: str | None = None

    def saw(self, role: str, partitions: Mapping[tuple[str, int], PartitionState], now: int) -> None:
        """Take in the state of the partitions that a role is assigned, and forget all others of the role."""
        places = {(role, topic, partition): state for (topic, partition), state in partitions.items()}
        for place in [place for place in self._seen if place[0] == role and place not in places]:
            del self._seen[place], self._behind[place]
        for place, state in places.items():
            behind = max(0, state.end - state.committed)
            seen = self._seen.get(place)
            if seen is None or seen.committed != state.committed or not self._behind[place]:
                self._seen[place] = _Seen(state.committed, now)
            self._behind[place] = behind

    def store_answered(self, reason: str | None, now: int) -> None:
        """``None`` if the store answered, else the reason. While it does not answer nothing is expected to move."""
        if self._store_reason is not None:
            for seen in self._seen.values():
                seen.moved_at = now
        self._store_reason = reason

    def problems(self, now: int) -> tuple[str, ...]:
        """Why the process should be restarted; empty while it works."""
        if self._store_reason is not None:
            return ()
        return tuple(
            f"{role}: {topic}/{partition} has {self._behind[role, topic, partition]:,} messages to work off and "
            f"has not moved for {(now - seen.moved_at) // 1000} s"
            for (role, topic, partition), seen in sorted(self._seen.items())
            if self._behind[role, topic, partition] and now - seen.moved_at > self._stall_ms
        )

    def not_ready(self) -> tuple[str, ...]:
        """Why the process cannot work now; empty while it can."""
        waiting = tuple(
            f"{role}: no partitions are assigned"
            for role in self._roles
            if not any(place[0] == role for place in self._seen)
        )
        return waiting if self._store_reason is None else (*waiting, f"store: {self._store_reason}")


def health_app(health: Health, metrics: Metrics, now: Callable[[], int]) -> web.Application:
    """``/healthz``, ``/readyz`` and ``/metrics``, all read-only."""

    async def healthz(_request: web.Request) -> web.Response:
        return _answer(health.problems(now()))

    async def readyz(_request: web.Request) -> web.Response:
        return _answer(health.not_ready())

    async def exposed(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", exposed)])
    return app


def _answer(reasons: tuple[str, ...]) -> web.Response:
    return web.Response(status=503 if reasons else 200, text="".join(f"{reason}\n" for reason in reasons or ("ok",)))
