"""An invalid plan is refused with the option, the reason and the remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.fleet.clients import FleetPlan, FleetProduct, PlannedSession, fleet, planned_sessions
from pipeline.model.errors import InputError
from pipeline.model.instants import DAY_MS

DAY_ONE = 1_648_800_000_000
SCRIPT = PlannedSession("MSTN", "1", "ws-1", "jana", "s", ((DAY_ONE, DAY_ONE + 1),), ((DAY_ONE, DAY_ONE + 1),))


@pytest.mark.parametrize(
    ("knob", "plan"),
    [
        ("account", FleetPlan(account="")),
        ("account", FleetPlan(account="a\x00")),
        ("country", FleetPlan(country="x" * 201)),
        ("period", FleetPlan(period="2022-Q2")),
        ("products", FleetPlan(products=())),
        ("products", FleetPlan(products=(FleetProduct(""),))),
        ("products", FleetPlan(products=(FleetProduct("A"), FleetProduct("A")))),
        ("products", FleetPlan(products=(FleetProduct("A", 0),))),
        ("machines", FleetPlan(machines=0)),
        ("machines", FleetPlan(machines=100_001)),
        ("seed", FleetPlan(seed=-1)),
        ("beat", FleetPlan(beat_ms=0)),
        ("beat", FleetPlan(beat_ms=DAY_MS)),
        ("frames", FleetPlan(frames=-1)),
        ("frames", FleetPlan(frames=10_001)),
        ("duplicates", FleetPlan(duplicates=1.5)),
        ("disorder", FleetPlan(disorder=-0.1)),
        ("late", FleetPlan(late=float("nan"))),
        ("broken", FleetPlan(broken=float("inf"))),
        ("trials", FleetPlan(trials=2.0)),
        ("oversize", FleetPlan(oversize=-1)),
        ("scripted", FleetPlan(scripted=(SCRIPT, SCRIPT))),
        ("scripted", FleetPlan(scripted=(replace(SCRIPT, usage="academic"),))),
        ("scripted", FleetPlan(scripted=(SCRIPT,), period="2022Q3")),
    ],
)
def test_an_option_out_of_range_is_refused_before_anything_is_sent(knob: str, plan: FleetPlan) -> None:
    for use in (fleet, planned_sessions):
        with pytest.raises(InputError) as refused:
            use(plan)
        assert refused.value.place == knob
        assert refused.value.reason
        assert refused.value.remedy


def test_the_ends_of_every_range_are_accepted() -> None:
    FleetPlan(machines=1, seed=0, beat_ms=60_000, duplicates=1.0, disorder=1.0, late=1.0, broken=1.0).validate()
    FleetPlan(machines=100_000, seed=2**63 - 1, beat_ms=12 * 3_600_000, frames=10_000, trials=1.0).validate()
