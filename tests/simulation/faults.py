"""The faults of each step, and the random choice of them: everything follows from the seed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from random import Random
from typing import Final


class Fault(StrEnum):
    """A fault at a step. By default it happens just before the step takes effect."""

    CRASH = "crash"  # the process loses its memory and starts again from the committed offsets
    DELAY = "delay"  # the step takes effect seconds later, while others go on
    PAUSE = "pause"  # the process stands still past its session timeout, then goes on as a zombie
    REBALANCE = "rebalance"  # a worker joins or leaves; partitions move while the step is under way
    RESET = "reset"  # a group's committed offsets go back to the start, and its members read from there
    REPLAY = "replay"  # every message of a topic is written to it once more
    STORE_AWAY = "store away"  # every insert fails for a while
    BROKER_AWAY = "broker away"  # nobody can read, write or commit for a while
    DUPLICATE = "duplicate"  # the step takes effect twice; a commit: now, and once more when newer ones have passed
    REFUSED = "refused"  # no effect, and an error as the answer; a commit: lost, and nobody notices
    ANSWER_LOST = "answer lost"  # the effect takes place, and the answer is an error
    PARTIAL = "partial"  # some of the rows are stored, and the answer is an error
    RAISES = "raises"  # the step raises an error that nobody expected


EVERYWHERE: Final = (
    Fault.CRASH,
    Fault.DELAY,
    Fault.PAUSE,
    Fault.REBALANCE,
    Fault.RESET,
    Fault.REPLAY,
    Fault.STORE_AWAY,
    Fault.BROKER_AWAY,
)
_WRITE: Final = (*EVERYWHERE, Fault.DUPLICATE, Fault.REFUSED, Fault.ANSWER_LOST)
_TAKE: Final = (*EVERYWHERE, Fault.DUPLICATE, Fault.RAISES)
_DRAIN: Final = (*EVERYWHERE, Fault.RAISES)
_ACK: Final = (*EVERYWHERE, Fault.DUPLICATE)
_INSERT: Final = (*_WRITE, Fault.PARTIAL)

STEPS: Final[Mapping[str, tuple[Fault, ...]]] = {
    "client send": _WRITE,
    "meter take": _TAKE,
    "meter drain": _DRAIN,
    "meter produce usage": _WRITE,
    "meter produce heartbeats-dlq": _WRITE,
    "meter ack": _ACK,
    "meter commit": _WRITE,
    "sink take": _TAKE,
    "sink drain": _DRAIN,
    "sink insert usage_days": _INSERT,
    "sink insert session_closes": _INSERT,
    "sink insert dead_letters": _INSERT,
    "sink insert deliveries": _INSERT,
    "sink retry": EVERYWHERE,
    "sink ack": _ACK,
    "sink commit": _WRITE,
}
"""Every step of the pipeline that can be interrupted, in the order of the data's flow, with its possible faults."""

Pair = tuple[str, Fault]
PAIRS: Final[tuple[Pair, ...]] = tuple((step, fault) for step, faults in STEPS.items() for fault in faults)

_AT_MOST: Final[Mapping[Fault, int]] = {Fault.RESET: 3, Fault.REPLAY: 2}
"""Faults that multiply the work of a run are limited; others are not."""


class Chaos:
    """Decides at every step whether a fault happens.

    Each seed aims at two pairs, one in turn and one by chance, at one of the step's first occurrences, so that a
    bounded number of seeds covers every pair; besides, each has its own selection of faults at its own rate, from
    none to about one step in ten. ``hits`` holds the pairs that took effect.
    """

    def __init__(self, seed: int, chance: Random) -> None:
        self._chance = chance
        self._passes_before = {PAIRS[seed % len(PAIRS)]: chance.randrange(3), chance.choice(PAIRS): chance.randrange(3)}
        self._rate = chance.choice((0.0, 0.01, 0.03, 0.1))
        self._selected = frozenset(fault for fault in Fault if chance.random() < 0.6)
        self._left = dict(_AT_MOST)
        self._is_over = False
        self.hits: set[Pair] = set()

    def end(self) -> None:
        """Stop all faults."""
        self._is_over = True

    def choose(self, step: str) -> Fault | None:
        """The fault at this occurrence of a step, if any."""
        if self._is_over:
            return None
        fault = self._aimed(step) or self._random(step)
        if fault in self._left:
            self._left[fault] -= 1
            if self._left[fault] < 0:
                return None
        return fault

    def _aimed(self, step: str) -> Fault | None:
        for pair in self._passes_before:
            if pair[0] == step:
                self._passes_before[pair] -= 1
                if self._passes_before[pair] == -1:
                    return pair[1]
        return None

    def _random(self, step: str) -> Fault | None:
        if self._chance.random() >= self._rate:
            return None
        fault = self._chance.choice(STEPS[step])
        return fault if fault in self._selected else None
