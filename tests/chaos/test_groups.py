"""Changes of groups: a zombie, workers that join and leave, offsets that are reset to the start."""

from __future__ import annotations

import signal

import pytest

from tests.chaos.steps import ROLES, Order, Role
from tests.chaos.world import World

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize(
    ("at_meter", "at_sink"),
    [
        ("produced some", "inserted usage_days"),
        *(
            pytest.param(at_meter, at_sink, marks=pytest.mark.chaos_long(reason="a zombie at every other step"))
            for at_meter, at_sink in (
                ("taken", "taken"),
                ("drained", "drained"),
                ("produced all", "inserted deliveries"),
                ("acked some", "acked some"),
                ("acked all", "inserted all"),
                ("committed", "committed"),
                ("produced some", "inserted session_closes"),
                ("produced all", "inserted dead_letters"),
                ("drained", "inserted denials"),
            )
        ),
    ],
)
def test_a_zombie_changes_nothing(world: World, at_meter: str, at_sink: str) -> None:
    steps: dict[Role, str] = {"meter": at_meter, "sink": at_sink}
    zombies = [world.keep(role, orders=iter([Order(step, 2, "stop")])) for role, step in steps.items()]
    world.send(300)
    for zombie in zombies:
        world.until(lambda zombie=zombie: zombie.hits().total() == 1)  # type: ignore[misc]  # bound now
        world.keep(zombie.role)
        world.send(100)
        world.until_drained(zombie.role)
    for zombie in zombies:
        zombie.send(signal.SIGCONT)
    world.send(200)
    world.check_running()
    for zombie in zombies:
        world.until(lambda zombie=zombie: world.members(zombie.role) == 2)  # type: ignore[misc]  # bound now
    world.send(200)
    world.check()


def test_scaling_from_one_to_three_to_two_workers_of_two_versions_changes_nothing(world: World) -> None:
    """The versions differ in how they pace their checkpoints; frames and rows are the same."""
    roles: tuple[Role, ...] = ("meter", "sink")
    with world.feeding():
        first = {role: world.keep(role) for role in roles}
        world.until(lambda: all(world.members(role) == 1 for role in roles))
        for role in roles:
            world.keep(role, as_production=True, meter_checkpoint_messages=5, sink_checkpoint_messages=300)
            world.keep(role, meter_checkpoint_ms=700, sink_checkpoint_ms=900)
        world.until(lambda: all(world.members(role) == 3 for role in roles))
        world.send(300)
        first["meter"].end()
        first["sink"].end(signal.SIGKILL)
        world.until(lambda: all(world.members(role) == 2 for role in roles))
        world.send(300)
    world.check()


def test_resetting_offsets_to_the_start_changes_nothing(world: World) -> None:
    kept = [world.keep(role) for role in ROLES]
    world.send(400)
    world.until_drained(*ROLES)
    for keeper in kept:
        keeper.end()
    world.reset(*ROLES)
    assert world.lag("meter") > 0
    for role in ROLES:
        world.keep(role)
    world.send(100)
    world.until_drained(*ROLES)
    world.check()
