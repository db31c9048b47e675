"""Faults of a store: which faults are injected into which statements, and counts of what happened."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal, get_args

Kind = Literal[
    "refused",
    "slow",
    "error-before",
    "error-after",
    "disk-full",
    "answer-lost",
    "answer-cut",
    "head-cut",
    "request-cut",
]
Target = Literal["insert", "query"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
AFTER_THE_EFFECT: Final[frozenset[Kind]] = frozenset({"slow", "error-after", "answer-lost", "answer-cut", "head-cut"})
"""With these faults the statement takes effect; with the others it does not."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for the next ``times`` matching statements, after the first ``after`` of them.

    - ``refused``: the connection is closed before anything is done.
    - ``slow``: the statement is carried out and answered, ``delay_ms`` late.
    - ``error-before``: 500, MEMORY_LIMIT_EXCEEDED; nothing is done.
    - ``disk-full``: 500, NOT_ENOUGH_SPACE; nothing is done.
    - ``error-after``: carried out, and then 500, UNKNOWN_STATUS_OF_INSERT.
    - ``answer-lost``: carried out, and the connection closed without an answer.
    - ``answer-cut``: carried out, and the connection closed after half of the answer's body.
    - ``head-cut``: carried out, and the connection closed after half of the answer's headers.
    - ``request-cut``: the connection is closed after half of the request; nothing is done.

    ``table`` is the table an insert writes to, or one a query names; empty matches all. DDL is a query.
    """

    kind: Kind
    on: Target = "insert"
    table: str = ""
    times: int = 1
    after: int = 0
    delay_ms: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.on not in get_args(Target):
            raise ValueError(f"no such fault: {self.kind} on {self.on}")

    def as_json(self) -> dict[str, str | int]:
        """The body of a request to the control endpoint."""
        return asdict(self)

    def matches(self, on: Target, tables: str) -> bool:
        """``tables`` is an insert's table, or the whole text of a query."""
        return on == self.on and (not self.table or re.search(rf"\b{re.escape(self.table)}\b", tables) is not None)


class Faults:
    """The pending faults, and counts of what happened. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[tuple[Fault, list[int]]] = []
        self._counts: dict[str, Counter[str]] = {"injected": Counter(), "inserts": Counter(), "queries": Counter()}

    def arm(self, fault: Fault) -> None:
        """Add a fault behind those that are armed already."""
        with self._lock:
            self._armed.append((fault, [fault.after, fault.times]))

    def disarm(self) -> None:
        """Remove pending faults; counts stay."""
        with self._lock:
            self._armed.clear()

    def take(self, on: Target, tables: str) -> Fault | None:
        """The fault for this statement, counted as injected."""
        with self._lock:
            for fault, left in self._armed:
                if not fault.matches(on, tables) or left[1] <= 0:
                    continue
                if left[0] > 0:
                    left[0] -= 1
                    continue
                left[1] -= 1
                self._counts["injected"][fault.kind] += 1
                return fault
            return None

    def count(self, what: Literal["injected", "inserts", "queries"], name: str) -> None:
        """Count a fault outside of statements, or a statement that was carried out."""
        with self._lock:
            self._counts[what][name] += 1

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """``injected`` by kind, ``inserts`` carried out by table, ``queries`` carried out under ``all``."""
        with self._lock:
            return {what: dict(counted) for what, counted in self._counts.items()}
