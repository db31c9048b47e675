"""The suite detects every mutation: with a defence removed, the store differs from the raw log.

The same stories pass with every defence in place: see the last test and the rest of the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Final

import pytest

from pipeline.kafka.topics import USAGE, topic
from tests.chaos.mutations import MUTATIONS
from tests.chaos.steps import Order
from tests.chaos.world import World

_ADDING: Final = {
    "deliveries that add": "deliveries MODIFY COLUMN heartbeats SimpleAggregateFunction(sumMap, Map(UInt64, UInt64))",
    "stretches that add": "usage_days MODIFY COLUMN stretches SimpleAggregateFunction(sumMap, Map(Int64, Int64))",
}
"""Columns that add up what should be merged: a defence that stands in the store, not in a worker."""


def usage_refuses_messages(world: World, mutation: str) -> None:
    """The topic `usage` refuses messages for a while."""
    config = dict(topic(USAGE, world.form.stage).config)
    world.kafka.configure(USAGE, {**config, "max.message.bytes": "100"})
    world.send(150)
    meter = world.keep("meter", mutation=mutation)
    world.keep("sink")
    world.until(lambda: 1 in meter.statuses or not world.lag("meter"))
    world.kafka.configure(USAGE, config)


def store_refuses_rows(world: World, mutation: str) -> None:
    """The store refuses inserts for lack of memory for a while."""
    before = world.seam.counters().injected.get("error-before", 0)
    world.seam.fault("error-before", table="usage_days", times=3)
    world.keep("meter")
    world.keep("sink", mutation=mutation)
    world.send(150)
    world.until(lambda: world.seam.counters().injected.get("error-before", 0) == before + 3)


def sink_is_killed_while_the_store_is_away(world: World, mutation: str) -> None:
    """The store is away, and the sink is killed after it has committed something nevertheless."""
    world.send(150)
    world.keep("meter")
    world.until_drained("meter")
    sink = world.keep("sink", mutation=mutation, orders=iter([Order("committed", 1, "kill")]))
    world.until(lambda: sink.said("working as sink") > 0)
    world.seam.down()
    world.until(lambda: sink.hits().total() == 1)
    world.seam.clear()
    world.until(lambda: sink.said("working as sink") > 1)


def rows_are_stored_twice(world: World, mutation: str) -> None:
    """The sink is killed between an insert and its acknowledgement."""
    if mutation:
        with closing(world.store()) as client:
            client.command(f"ALTER TABLE {_ADDING[mutation]}")
    world.keep("meter")
    sink = world.keep("sink", orders=iter([Order("inserted deliveries", 1, "kill")]))
    world.send(150)
    world.until(lambda: sink.hits().total() == 1)


def orders_come_in_conflict(world: World, mutation: str) -> None:
    """Orders are repeated, and other orders have the same id."""
    world.keep("meter")
    world.keep("sink", mutation=mutation)
    world.send(150)


Story = Callable[[World, str], None]
STORIES: Final[Mapping[str, Story]] = {
    "ack before produce": usage_refuses_messages,
    "ack before insert": sink_is_killed_while_the_store_is_away,
    "produce not awaited": usage_refuses_messages,
    "insert not awaited": sink_is_killed_while_the_store_is_away,
    "failed insert ignored": store_refuses_rows,
    "retry with other rows": store_refuses_rows,
    "error of a flush swallowed": usage_refuses_messages,
    "later order wins": orders_come_in_conflict,
    "deliveries that add": rows_are_stored_twice,
    "stretches that add": rows_are_stored_twice,
}
"""Each mutation, and the story in which it shows."""


def test_every_mutation_has_a_story() -> None:
    assert set(STORIES) == {*MUTATIONS, *_ADDING}


@pytest.mark.chaos
@pytest.mark.parametrize("mutation", STORIES)
def test_the_comparison_fails_with_a_removed_defence(world: World, mutation: str) -> None:
    STORIES[mutation](world, mutation)
    world.until_drained()
    world.stop()
    for role in ("meter", "sink"):
        world.keep(role)
    world.until_drained()
    assert world.difference() != "", "the mutation was not detected"


@pytest.mark.chaos
@pytest.mark.parametrize(
    "story", [usage_refuses_messages, store_refuses_rows, rows_are_stored_twice], ids=lambda story: story.__name__
)
def test_the_comparison_passes_with_every_defence(world: World, story: Story) -> None:
    story(world, "")
    world.check()
