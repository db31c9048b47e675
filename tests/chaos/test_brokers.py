"""Restarts of brokers, changes of leaders, and topics that refuse messages."""

from __future__ import annotations

import signal
from functools import partial
from typing import Final, Literal

import pytest

from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, USAGE, topic
from tests.chaos.steps import ROLES
from tests.chaos.world import World
from tests.support.broker.apache import ApacheKafka

pytestmark = pytest.mark.chaos

_PLACES_WATCHED: Final = 4
"""Partitions of a topic whose leaders are looked at; with three brokers each of them leads one."""


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_restart_of_a_broker_changes_nothing(
    world: World, brokers: ApacheKafka, how: Literal["stopped", "killed"]
) -> None:
    for role in ROLES:
        world.keep(role)
    world.send(200)
    with world.feeding():
        world.until(lambda: world.lag("sink") < 50)
        (brokers.stop if how == "stopped" else brokers.kill)(1)
        brokers.start(1)
        brokers.until_in_sync(HEARTBEATS, USAGE, HEARTBEATS_DLQ)
    world.send(200)
    world.until_drained(*ROLES)
    world.check()


@pytest.mark.chaos_long(reason="leaders change where there are three brokers")
@pytest.mark.parametrize("how", ["stopped", "killed", "paused"])
def test_changes_of_leaders_change_nothing(
    world: World, brokers: ApacheKafka, how: Literal["stopped", "killed", "paused"]
) -> None:
    places = [(name, partition) for name in (HEARTBEATS, USAGE) for partition in range(_PLACES_WATCHED)]
    for role in ROLES:
        world.keep(role)
    with world.feeding():
        for number in brokers.nodes:
            led = [place for place in places if brokers.leader(*place) == number]
            assert led
            {"stopped": brokers.stop, "killed": brokers.kill, "paused": brokers.pause}[how](number)
            world.until(partial(_led_by_another, brokers, led, number))
            if how == "paused":
                brokers.resume(number)
            else:
                brokers.start(number)
            brokers.until_in_sync(HEARTBEATS, USAGE, HEARTBEATS_DLQ)
            world.send(100)
    world.until_drained(*ROLES)
    world.check()


def _led_by_another(brokers: ApacheKafka, places: list[tuple[str, int]], number: int) -> bool:
    return all(brokers.leader(*place) not in (number, -1) for place in places)


@pytest.mark.parametrize("name", [HEARTBEATS_DLQ, USAGE])
def test_a_topic_that_refuses_messages_ends_the_meter_and_loses_nothing(world: World, name: str) -> None:
    config = dict(topic(name, world.form.stage).config)
    meter = world.keep("meter")
    world.keep("sink")
    world.send(200)
    world.until_drained()
    world.kafka.configure(name, {**config, "max.message.bytes": "100"})
    world.send(200)
    world.until(lambda: meter.statuses.count(1) > 1)
    assert world.lag("meter") > 0
    world.kafka.configure(name, config)
    world.send(100)
    world.check()


@pytest.mark.chaos_long(reason="replicas can be missing where there are three brokers")
@pytest.mark.parametrize("name", [HEARTBEATS_DLQ, USAGE])
def test_a_topic_without_enough_replicas_stops_the_meter_and_loses_nothing(
    world: World, brokers: ApacheKafka, name: str
) -> None:
    config = dict(topic(name, world.form.stage).config)
    meter = world.keep("meter")
    world.keep("sink")
    world.send(200)
    world.until_drained()
    world.kafka.configure(name, {**config, "min.insync.replicas": "3"})
    brokers.kill(3)
    with world.feeding():
        world.until(lambda: meter.said("Got error produce response") > 2)
        meter.send(signal.SIGKILL)
        brokers.start(3)
        brokers.until_in_sync(name)
        world.kafka.configure(name, config)
    world.check()


def test_deleting_and_recreating_the_dead_letter_topic_loses_nothing(world: World) -> None:
    meter, sink = world.keep("meter"), world.keep("sink")
    world.send(200)
    world.until_drained()
    sink.end()
    world.kafka.delete(HEARTBEATS_DLQ)
    world.send(200)
    world.until(lambda: meter.said(HEARTBEATS_DLQ) > 2)
    assert world.lag("meter") > 0
    world.kafka.create([topic(HEARTBEATS_DLQ, world.form.stage)])
    world.until_drained("meter")
    world.keep("sink")
    world.send(100)
    world.check()
