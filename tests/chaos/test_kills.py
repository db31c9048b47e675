"""SIGKILL at any moment and at every named step of a checkpoint changes no result (R3)."""

from __future__ import annotations

import signal
from collections import Counter
from typing import Final

import pytest

from tests.chaos.keeping import Keeper
from tests.chaos.steps import AT_HOME_S, PARTS, ROLES, STEPS, Order, Role
from tests.chaos.world import World

pytestmark = pytest.mark.chaos

KILLED: Final = -signal.SIGKILL
_OFTEN_PASSED: Final = {"taken": 30, "acked some": 24}
"""Steps that are passed for each message; the others once for each checkpoint."""
_KILL_S_MAX: Final = 120.0
"""Until a worker is started, joins its group and comes to the step at which it is killed next."""


def test_workers_killed_at_random_moments_change_nothing(world: World) -> None:
    kept: list[Keeper] = [world.keep(role, as_production=True) for role in ("meter", "sink", "seats")]
    world.send(400)
    for _ in range(world.form.rounds):
        for keeper in world.chance.sample(kept, len(kept)):
            world.send(200)
            left = world.chance.randrange(150)
            world.until(lambda role=keeper.role, left=left: world.lag(role) <= left)  # type: ignore[misc]  # bound now
            keeper.send(signal.SIGKILL)
    world.until_drained("meter", "sink", "seats")
    world.check()
    for keeper in kept:
        assert keeper.statuses == [*[KILLED] * world.form.rounds, 0], keeper.report()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.usefixtures("part")
def test_a_worker_killed_at_every_named_step_changes_nothing(world: World) -> None:
    orders = {role: _orders(world, role) for role in ROLES}
    with world.feeding(per_turn=4):  # as much as the kills need: what is left must be worked off in the end
        kept = [
            world.keep(role, orders=iter(orders_of_role), instance_id=role, session_timeout_s=AT_HOME_S)
            for role, orders_of_role in orders.items()
        ]
        for keeper in kept:
            for number in range(len(orders[keeper.role])):
                assert keeper.until_ended(1 + number, _KILL_S_MAX), world.report()
    world.until_drained("meter", "sink", "seats")
    world.check()
    for keeper in kept:
        assert keeper.hits() == Counter(dict.fromkeys(STEPS[keeper.role], world.form.kills))
        assert keeper.statuses == [*[KILLED] * len(orders[keeper.role]), 0], keeper.report()


@pytest.mark.parametrize(
    ("at_meter", "at_sink"),
    [
        ("drained", "inserted usage_days"),
        *(
            pytest.param(at_meter, at_sink, marks=pytest.mark.chaos_long(reason="an error at every other step"))
            for at_meter, at_sink in (("taken", "taken"), ("produced some", "drained"), ("acked some", "acked some"))
        ),
    ],
)
def test_an_unexpected_error_ends_the_worker_and_changes_nothing(world: World, at_meter: str, at_sink: str) -> None:
    steps: dict[Role, str] = {"meter": at_meter, "sink": at_sink}
    kept = [
        world.keep(role, orders=iter([Order(step, nth, "raise") for nth in (1, 3)])) for role, step in steps.items()
    ]
    with world.feeding():
        for keeper in kept:
            assert keeper.until_ended(2, 2 * _KILL_S_MAX), world.report()
    world.check()
    for keeper in kept:
        assert keeper.statuses[:2] == [1, 1], keeper.report()


def _orders(world: World, role: Role) -> list[Order]:
    """Each step as often as the form says, in a random order, at an early occurrence."""
    orders = [
        Order(step, world.chance.randint(1, _OFTEN_PASSED.get(step, 2)), "kill")
        for step in STEPS[role]
        for _ in range(world.form.kills)
    ]
    world.chance.shuffle(orders)
    return orders
