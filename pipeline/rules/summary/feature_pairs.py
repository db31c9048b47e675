"""Features that are checked out together, so that they are one product under two names.

Many servers log two checkouts for one launch: one of a feature without a year (``64300ACD_F``), which holds the
licences, and one of a feature for the release (``87545ACD_2022_0F``). A pair is proposed where at least 95 of 100
checkouts of the feature with a year come with one of the other, by the same user on the same machine in the same
instant. It is a proposal: whoever signs the contract knows what was bought.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Final, NamedTuple

TOGETHER_PERCENT_MIN: Final = 95
CHECKOUTS_MIN: Final = 2
"""A single checkout may come with another by chance."""

_YEAR: Final = re.compile(r"(?:^|[_.\- ])(?:19|20)\d\d(?=$|[_.\- ])", re.ASCII)


class FeatureCheckout(NamedTuple):
    """One checkout; user and machine are folded."""

    feature: str
    user: str
    machine: str
    at: int


class FeaturePair(NamedTuple):
    """``together`` of the ``checkouts`` of the feature ``dated`` came with one of the feature ``generic``."""

    generic: str
    dated: str
    together: int
    checkouts: int


def is_dated(feature: str) -> bool:
    """Whether a feature's name holds the year of a release."""
    return _YEAR.search(feature) is not None


def feature_pairs(checkouts: Iterable[FeatureCheckout]) -> list[FeaturePair]:
    """The pairs that checkouts propose, by the feature with a year, each once.

    The checkouts of one instant follow one another. Where several features always come along, the one checked out least
    is taken: it is the most specific.
    """
    total: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    for _, of_instant in groupby(checkouts, key=lambda checkout: checkout.at):
        launches: dict[tuple[str, str], Counter[str]] = {}
        for feature, user, machine, _ in of_instant:
            launches.setdefault((user, machine), Counter())[feature] += 1
            total[feature] += 1
        for features in launches.values():
            generics = [feature for feature in features if not is_dated(feature)]
            for dated in features.keys() - set(generics):
                for generic in generics:
                    together[dated, generic] += min(features[dated], features[generic])
    best: dict[str, FeaturePair] = {}
    for (dated, generic), count in sorted(together.items(), key=lambda pair: (total[pair[0][1]], pair[0])):
        if total[dated] >= CHECKOUTS_MIN and count * 100 >= total[dated] * TOGETHER_PERCENT_MIN:
            best.setdefault(dated, FeaturePair(generic, dated, count, total[dated]))
    return [best[dated] for dated in sorted(best)]
