"""True denials: launches that a licence server refused and that stayed without a licence (INTERFACES).

Programs ask for several features in turn, and people try again: most denials are followed by a checkout within seconds.
A denial is *true* where its user had no checkout of the feature within ten minutes after it, on any machine. Only
checkouts after it count: a session that was open already was no answer to this request. A request that was queued, or
left the queue, is no denial.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.model.instants import MINUTE_MS

ANSWERED_WITHIN_MS: Final = 10 * MINUTE_MS
DENIAL_KINDS: Final = frozenset({"denied", "unsupported"})
"""The kinds that can be true; the others are a queue's."""


class CheckoutTimes:
    """When each user checked each feature out; users are folded, features as the server names them."""

    def __init__(self, checkouts: Iterable[tuple[str, str, int]]) -> None:
        """Take checkouts as (feature, user, at), in any order."""
        opened: dict[tuple[str, str], list[int]] = {}
        for feature, user, at in checkouts:
            opened.setdefault((feature, user), []).append(at)
        self._opened: Mapping[tuple[str, str], list[int]] = {key: sorted(times) for key, times in opened.items()}

    def is_true_denial(self, kind: str, feature: str, user: str, at: int) -> bool | None:
        """Whether a denial is true; ``None`` for what is no denial. A checkout in the same instant came after it."""
        if kind not in DENIAL_KINDS:
            return None
        opened = self._opened.get((feature, user), [])
        first = bisect_left(opened, at)
        return first == len(opened) or opened[first] > at + ANSWERED_WITHIN_MS
