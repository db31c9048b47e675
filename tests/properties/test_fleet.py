"""Laws of simulated fleets, for any plan."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codec.topics.heartbeats import decode
from pipeline.fleet.clients import FleetPlan, FleetProduct, fleet, planned_sessions
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import DAY_MS, MINUTE_MS
from tests.support.laws import examples

SHARES = st.sampled_from((0.0, 0.01, 0.2, 1.0))
PLANS = st.builds(
    FleetPlan,
    account=st.sampled_from(("studio", "Škoda Praha a. s.", "設計")),
    period=st.sampled_from(("2000Q1", "2022Q2", "2024Q4")),
    products=st.lists(
        st.builds(
            FleetProduct,
            code=st.sampled_from(("MSTN", "ORD", "STAAD", "PLAX")),
            quantity=st.one_of(st.none(), st.integers(1, 3)),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda product: product.code,
    ).map(tuple),
    machines=st.integers(1, 6),
    seed=st.integers(0, 2**63 - 1),
    beat_ms=st.sampled_from((30 * MINUTE_MS, 97 * MINUTE_MS, 720 * MINUTE_MS)),
    trials=SHARES,
)


def valid(lines: list[bytes]) -> set[Heartbeat]:
    return {heartbeat for line in lines for heartbeat in decode(line).heartbeats}


@settings(max_examples=examples(30), deadline=None)
@given(plan=PLANS, duplicates=SHARES, disorder=SHARES, late=SHARES, broken=SHARES, frames=st.integers(0, 400))
def test_faults_and_frames_never_change_the_set_of_valid_heartbeats(
    plan: FleetPlan, duplicates: float, disorder: float, late: float, broken: float, frames: int
) -> None:
    tally = Counter[str]()
    faulty = replace(plan, duplicates=duplicates, disorder=disorder, late=late, broken=broken, frames=frames)
    plain, spoilt = list(fleet(plan)), list(fleet(faulty, tally))
    decoded = [decode(line) for line in spoilt]
    assert valid(spoilt) == valid(plain)
    assert sum(len(each.heartbeats) for each in decoded) == len(plain) + tally["duplicates"]
    invalid = sum(len(each.invalid) for each in decoded)
    assert invalid == sum(number for kind, number in tally.items() if kind.startswith("broken "))


@settings(max_examples=examples(30), deadline=None)
@given(plan=PLANS)
def test_a_fleet_contains_exactly_its_planned_sessions(plan: FleetPlan) -> None:
    spans: dict[str, tuple[int, int]] = {}
    clock = 0
    for line in fleet(plan):
        assert not decode(line).invalid
        beat = orjson.loads(line)
        assert beat["at"] >= clock
        clock = beat["at"]
        spans[beat["session"]] = (beat["opened_at"], beat["at"])
    assert spans == {session.session: (session.opened_at, session.closed_at) for session in planned_sessions(plan)}
    quarter = plan.quarter()
    assert all(quarter.contains(opened_at) and quarter.contains(last_at) for opened_at, last_at in spans.values())


@settings(max_examples=examples(30), deadline=None)
@given(plan=PLANS)
def test_ordinary_production_use_never_exceeds_a_quantity(plan: FleetPlan) -> None:
    machines = defaultdict(set)
    for session in planned_sessions(plan):
        if session.usage == "production":
            assert session.opened_at // DAY_MS == session.closed_at // DAY_MS
            machines[session.product, session.opened_at // DAY_MS].add(session.machine)
    quantity = {product.code: product.quantity or plan.machines for product in plan.products}
    assert all(len(used) <= quantity[product] for (product, _), used in machines.items())
