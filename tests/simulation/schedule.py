"""Virtual time: a queue of scheduled actions, and a trace of events."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush


class Scheduler:
    """Runs actions in order of their virtual time; those of the same instant in the order of scheduling."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._queue: list[tuple[int, int, Callable[[], object]]] = []
        self._asked = 0

    def after(self, delay_ms: int, action: Callable[[], object]) -> None:
        """Schedule an action ``delay_ms`` from now."""
        self._asked += 1
        heappush(self._queue, (self.now_ms + delay_ms, self._asked, action))

    def run_next(self) -> None:
        """Run the next action; time jumps to it."""
        self.now_ms, _, action = heappop(self._queue)
        action()


class Trace:
    """Events, a line each: virtual seconds, process, event. Records nothing unless it is enabled."""

    def __init__(self, scheduler: Scheduler, *, kept: bool) -> None:
        self._scheduler, self._kept = scheduler, kept
        self.lines: list[str] = []

    def note(self, who: str, what: str, *details: object) -> None:
        if self._kept:
            text = " ".join(str(detail) for detail in details)
            self.lines.append(f"{self._scheduler.now_ms / 1000:9.3f} s  {who:<10} {what} {text}".rstrip())
