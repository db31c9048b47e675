"""Numbers for what is alike: the same feature by the same user on the same machine in the same instant."""

from __future__ import annotations

from typing import Final

from pipeline.model.instants import DAY_MS

REMEMBERED_MIN: Final = 50_000
"""So many are remembered in any case; beyond, those of more than a day before are forgotten."""


class Ordinals:
    """How many of each kind there were in each instant. Time may go back by up to a day.

    ``tidied`` counts how often all were looked through for those to be forgotten: seldom, also on a day that has more
    than are remembered in any case.
    """

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], int] = {}
        self._size_max = REMEMBERED_MIN
        self.tidied = 0

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, what: str, at: int, count: int) -> int:
        """The ordinal of the first of ``count`` more."""
        taken, key = self._taken, (what, at)
        ordinal = taken.get(key, 0)
        taken[key] = ordinal + count
        if len(taken) > self._size_max:
            self._taken = {kept: value for kept, value in taken.items() if kept[1] > at - DAY_MS}
            self._size_max = max(REMEMBERED_MIN, 2 * len(self._taken))
            self.tidied += 1
        return ordinal
