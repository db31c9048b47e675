"""The simulation detects every planted defect with some seed, and some of them by the totals alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from pipeline.agents.consuming import Message
from tests.simulation.auditor import Auditor
from tests.simulation.broker import Place
from tests.simulation.defects import DEFECTS
from tests.simulation.faults import PAIRS
from tests.simulation.world import first_violation

SEEDS: Final = 3 * len(PAIRS)
LOSING: Final = (
    "ack before produce",
    "ack before insert",
    "produce not awaited",
    "insert not awaited",
    "retry with other rows",
    "meter's drain loses what arrived during a flush",
    "sink's drain loses what arrived during a flush",
    "ack of what arrived during a flush",
    "error of a take swallowed",
    "error of a drain swallowed",
    "positions committed",
)


class JudgesTheEndAlone(Auditor):
    """Checks only the end: a loss must show in the stored rows at the end."""

    def acknowledged(self, who: str, message: Message) -> None:
        pass

    def committed(self, offsets: Mapping[Place, int]) -> None:
        pass


class JudgesCommitsAlone(Auditor):
    """Checks only committed offsets, neither acknowledgements nor the end."""

    def acknowledged(self, who: str, message: Message) -> None:
        pass

    def ended(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_is_detected_by_some_seed(defect: str) -> None:
    assert first_violation(range(SEEDS), DEFECTS[defect])


@pytest.mark.parametrize("defect", LOSING)
def test_losses_of_a_defect_are_missing_at_the_end(defect: str) -> None:
    assert first_violation(range(SEEDS), replace(DEFECTS[defect], auditor=JudgesTheEndAlone))


@pytest.mark.parametrize("defect", LOSING)
def test_losses_of_a_defect_are_below_a_committed_offset(defect: str) -> None:
    assert first_violation(range(SEEDS), replace(DEFECTS[defect], auditor=JudgesCommitsAlone))
