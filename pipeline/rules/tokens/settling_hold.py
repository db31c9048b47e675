"""Hold before settling: a charge window may still move until evidence is complete a while after its start (RULES 6).

RULES 6: "Windows are provisional, reserved against the balance, until evidence is taken as complete up to their start
plus a hold (default 24 h after, driven by ticks; `run`: the end of the input). Then they are settled in order of start,
product, user, and never move."
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.model.instants import DAY_MS
from pipeline.model.ledger_entries import Window

HOLD_MS: Final = DAY_MS
"""How long after a window's start evidence of it may come before it is settled."""


def settled_until(complete_until: int, hold_ms: int = HOLD_MS) -> int:
    """The instant up to which windows are settled, those that start at it included, by how far evidence is complete."""
    return complete_until - hold_ms


def complete_until_of(settled_until_at: int, hold_ms: int = HOLD_MS) -> int:
    """How far evidence must be complete so that windows are settled up to an instant."""
    return settled_until_at + hold_ms


def is_due(window: Window, settled_until_at: int) -> bool:
    """Whether a window is settled with all that start at or before an instant."""
    return window.start_at <= settled_until_at


def settling_order(window: Window) -> tuple[int, str, str, str]:
    """What windows are sorted by to be settled: start, product, user; windows in several countries by country."""
    return window.start_at, window.product, window.user, window.country


def in_settling_order(windows: Iterable[Window]) -> list[Window]:
    """Windows in the order in which they are settled."""
    return sorted(windows, key=settling_order)
