"""The named steps of a checkpoint, and what may happen to a worker when it passes one of them.

Steps are heard from outside, by standing around the objects that take them (``seams``); nothing in ``pipeline`` knows
of them. They are named as in ``pipeline/agents/faust/checkpoint.py``.
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
"""SIGKILL and SIGSTOP are sent by the process to itself, so that nothing happens between the step and the signal."""

ROLES: Final[tuple[Role, ...]] = ("meter", "sink", "seats")
"""The roles that every fleet has; ``quarantine`` is a sink for floods, and ``tokens`` has stories of its own."""
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
"""Each step of each role, in the order in which a checkpoint passes them."""

_MORE: Final = pytest.mark.chaos_long(reason="more kills at each step")
PARTS: Final = (1, *(pytest.param(part, marks=_MORE) for part in (2, 3, 4)))
"""Stories of kills are told in parts, each with its share of the kills: evidence grows as long as a story goes on."""
AT_HOME_S: Final = 10
"""How long a group keeps the place of a worker that is killed again and again, and is a static member of it. While it
comes back sooner nobody waits for this, and on a machine that is overloaded no living one is taken for dead."""


class Planted(RuntimeError):
    """An error that nobody expected, raised at a step."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a process does to itself when it passes a step for the ``nth`` time."""

    step: str
    nth: int
    action: Action

    @classmethod
    def parse(cls, text: str) -> Order:
        """``STEP:N:ACTION``. Raises ``ValueError``."""
        step, nth, action = text.split(":")
        known = {one for steps in STEPS.values() for one in steps}
        if step not in known or int(nth) < 1 or action not in get_args(Action):
            raise ValueError(f"{text!r} is not STEP:N:ACTION with a step of {', '.join(sorted(known))}")
        return cls(step, int(nth), action)  # type: ignore[arg-type]  # it is one of them, as just seen

    def __str__(self) -> str:
        return f"{self.step}:{self.nth}:{self.action}"


class Passing:
    """Counts the steps a process passes, and carries out its order. For many threads."""

    def __init__(self, order: Order | None, hits: Path | None) -> None:
        self._order, self._hits = order, hits
        self._lock, self._passed = Lock(), Counter[str]()

    def step(self, name: str) -> None:
        """The process has just done what the step is named for."""
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
    """Append to the file of what happened; a line of this size is written whole."""
    descriptor = os.open(hits, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{order}\n".encode())
    finally:
        os.close(descriptor)


def read_hits(hits: Iterable[Path]) -> Counter[str]:
    """How often each step was where something happened, over some files."""
    lines = [line for path in hits if path.exists() for line in path.read_text().splitlines()]
    return Counter(Order.parse(line).step for line in lines)
