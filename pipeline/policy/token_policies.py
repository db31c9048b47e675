"""Token policies: when use of a product is charged in tokens (RULES 2 and 6)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model.instants import iso_date
from pipeline.policy.timeline import Timeline


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """One row of a token policy.

    A charge pays for ``window_ms``; a stretch of at most ``free_connection_ms`` is free; ``idle_after_ms`` after its
    last operation a session is idle; a launch decision is good offline for ``offline_ms``, on ``devices_max`` devices.
    """

    name: str
    valid_from_at: int
    window_ms: int
    free_connection_ms: int
    idle_after_ms: int
    offline_ms: int
    devices_max: int

    @property
    def id(self) -> str:
        """As statements name it: ``autodesk-flex@2021-09-24``."""
        return f"{self.name}@{iso_date(self.valid_from_at)}"


TokenTimeline = Timeline[TokenPolicy]
"""A token policy's rows by date."""
