"""The named steps of a checkpoint, and the faults that may happen to a worker at a step.

Steps are observed from outside, by wrapping the objects that take them (``seams``); ``pipeline`` has no code for it.
They are named as in ``pipeline/agents/faust/checkpoint.py``.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final, Literal, get_args

import pytest

Role = Literal["meter", "sink", "seats", "quarantine", "tokens"]
Action = Literal["kill", "stop", "raise"]
"""The process sends SIGKILL and SIGSTOP to itself, so that nothing happens between the step and the signal."""

ROLES: Final[tuple[Role, ...]] = ("meter", "sink", "seats")
"""The roles of every world; ``quarantine`` is a sink for floods, and ``tokens`` has stories of its own."""
_FIRST: Final = ("taken", "drained")
_LAST: Final = ("acked some", "acked all", "committed")
STEPS: Final[Mapping[Role, tuple[str, ...]]] = {
    "meter": (*_FIRST, "produced some", "produced all", *_LAST),
    "sink": (
        *_FIRST,
        "inserted usage_days",
        "inserted session_closes",
        "inserted dead_letters",
        "inserted denials",
        "inserted contracts",
        "inserted commands",
        "inserted deliveries",
        "inserted all",
        *_LAST,
    ),
    "seats": (*_FIRST, *_LAST),
    "tokens": (*_FIRST, "drafted", "produced all", "read back", *_LAST),
}
"""The steps of each role, in the order of a checkpoint."""

_MORE: Final = pytest.mark.chaos_long(reason="more kills at each step")
PARTS: Final = (1, *(pytest.param(part, marks=_MORE) for part in (2, 3, 4)))
"""Stories of kills are split into parts, each with a share of the kills, because evidence grows during a story."""
AT_HOME_S: Final = 10
"""How long a group keeps the partitions of a static member that is killed again and again. It returns sooner, so nobody
waits for this time; and on an overloaded machine no living worker is considered dead."""


class Planted(RuntimeError):
    """An unexpected error, raised at a step."""


@dataclass(frozen=True, slots=True)
class Order:
    """The fault of a process at the ``nth`` occurrence of a step."""

    step: str
    nth: int
    action: Action

    @classmethod
    def parse(cls, text: str) -> Order:
        """``STEP:N:ACTION``. Raises ``ValueError``."""
        step, nth, action = text.split(":")
        step_names = {name for steps in STEPS.values() for name in steps}
        if step not in step_names or int(nth) < 1 or action not in get_args(Action):
            raise ValueError(f"{text!r} is not STEP:N:ACTION with a step of {', '.join(sorted(step_names))}")
        return cls(step, int(nth), action)  # type: ignore[arg-type]  # it is one of them, as just seen

    def __str__(self) -> str:
        return f"{self.step}:{self.nth}:{self.action}"


class Passing:
    """Counts the steps of a process and carries out its order. Thread-safe."""

    def __init__(self, order: Order | None, hits: Path | None) -> None:
        self._order, self._hits = order, hits
        self._lock, self._passed = Lock(), Counter[str]()

    def step(self, name: str) -> None:
        """Called after the process has taken a step."""
        with self._lock:
            self._passed[name] += 1
            order = self._order
            if order is None or order.step != name or self._passed[name] < order.nth:
                return
            self._order = None
        if self._hits is not None:
            note(self._hits, order)
        if order.action == "raise":
            raise Planted(f"planted after {name}")
        os.kill(os.getpid(), signal.SIGKILL if order.action == "kill" else signal.SIGSTOP)


def note(hits: Path, order: Order) -> None:
    """Append to the file of hits; a line of this size is written atomically."""
    descriptor = os.open(hits, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{order}\n".encode())
    finally:
        os.close(descriptor)


def read_hits(hits: Iterable[Path]) -> Counter[str]:
    """Counts of the faults at each step, over several files."""
    lines = [line for path in hits if path.exists() for line in path.read_text().splitlines()]
    return Counter(Order.parse(line).step for line in lines)
