"""A flood of dead letters from one account goes to a topic of its own, so that the others stay readable.

Nothing that is kept or counted changes: a dead letter has the same identity in either topic. Only the role that stores
it differs. Time is the broker's timestamp, so that working off a backlog is not taken for a flood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.model.instants import MINUTE_MS

ACCOUNTS_MAX: Final = 10_000


@dataclass(slots=True)
class _Minute:
    number: int
    letters: int
    flooded_before: bool


class Quarantine:
    """Which accounts send more than ``letters_max`` dead letters a minute.

    An account enters with the first letter beyond the limit, and leaves after a whole minute within it.
    """

    def __init__(self, letters_max: int) -> None:
        self._letters_max = letters_max
        self._minutes: dict[str, _Minute] = {}

    def takes(self, account: str, received_at: int) -> bool:
        """Count a dead letter, and say whether it goes into quarantine."""
        number = received_at // MINUTE_MS
        minute = self._minutes.get(account)
        if minute is None:
            self._forget(number)
            minute = self._minutes[account] = _Minute(number, 0, flooded_before=False)
        elif number > minute.number:
            flooded = number == minute.number + 1 and minute.letters > self._letters_max
            minute.number, minute.letters, minute.flooded_before = number, 0, flooded
        minute.letters += 1
        return self._is_flood(minute)

    def accounts(self) -> frozenset[str]:
        """The accounts in quarantine as of their last dead letters."""
        return frozenset(account for account, minute in self._minutes.items() if self._is_flood(minute))

    def _is_flood(self, minute: _Minute) -> bool:
        return minute.flooded_before or minute.letters > self._letters_max

    def _forget(self, number: int) -> None:
        if len(self._minutes) >= ACCOUNTS_MAX:
            self._minutes = {
                account: minute for account, minute in self._minutes.items() if minute.number >= number - 1
            }
