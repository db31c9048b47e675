"""Input that comes twice, elsewhere, under the wrong key, or is no evidence at all: a merge does not mind (R1, R2)."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from pipeline.kafka.topics import COMMANDS, CONTRACTS, DENIALS, HEARTBEATS, HEARTBEATS_DLQ, USAGE
from tests.chaos.inputs import Sent
from tests.chaos.world import World

pytestmark = pytest.mark.chaos


def test_a_topic_that_is_replayed_is_judged_and_merged_again(steady: World) -> None:
    steady.send(200)
    steady.send(_again(steady, HEARTBEATS))
    steady.check_running()


def test_topics_between_the_agents_that_are_replayed_change_nothing(steady: World) -> None:
    steady.send(200)
    steady.until_drained()
    before = steady.difference()
    steady.kafka.send(_again(steady, USAGE, HEARTBEATS_DLQ, DENIALS, COMMANDS, CONTRACTS))
    steady.check_running()
    assert before == ""


def test_duplicates_across_partitions_are_counted_once_as_use_and_each_as_a_delivery(steady: World) -> None:
    chance, partitions = steady.chance, steady.partitions(HEARTBEATS)[HEARTBEATS]
    messages = [one for one in steady.evidence.take(150) if one.topic == HEARTBEATS]
    copies = [replace(one, partition=chance.randrange(partitions)) for one in messages for _ in range(3)]
    chance.shuffle(copies)
    steady.send(copies)
    steady.check_running()


@pytest.mark.parametrize("kind", ["wrong", "none"])
def test_keys_that_are_wrong_or_missing_cost_speed_and_never_a_count(steady: World, kind: str) -> None:
    messages = [one for one in steady.evidence.take(150) if one.topic == HEARTBEATS and one.value is not None]
    keys = (b"", b"\x00\x00\x00\x06studi", bytes(range(256))) if kind == "wrong" else (None,)
    steady.send([replace(one, key=steady.chance.choice(keys)) for one in messages])
    steady.check_running()


def test_poison_among_good_frames_is_dead_lettered_and_stops_nothing(steady: World) -> None:
    heartbeat = {
        "v": 1, "account": "studio", "product": "MSTN", "machine": "ws-1", "user": "eva", "session": "poisoned",
        "opened_at": 1_651_569_060_000, "at": 1_651_569_960_000,
    }  # fmt: skip
    good = orjson.dumps(heartbeat)
    poison = [
        b"",
        b"\x00" * 5_000,
        b"\xff\xfe\xfd",
        good[:-1],
        b"[" + good + b",",
        b"[" + good + b"]x",
        b"[" * 100_000,
        good.replace(b"studio", b"\xed\xa0\x80"),
        b"[" + good + b"," + b" " * 1_048_576 + good + b"]",
        b'"' + b"x" * 2_000_000 + b'"',
        b"[" + b",".join([good, b"null", b"{}", b"[]", b"0", good]) + b"]",
    ]
    partitions = steady.partitions(HEARTBEATS)[HEARTBEATS]
    mixed = [Sent(HEARTBEATS, b"poison", value, partition=one) for value in poison for one in range(partitions)]
    mixed += [one for one in steady.evidence.take(200) if one.topic == HEARTBEATS]
    steady.chance.shuffle(mixed)
    steady.send(mixed)
    steady.check_running()


def test_what_no_agent_wrote_is_dead_lettered_wherever_it_stands(steady: World) -> None:
    rubbish = (b"rubbish", b"\xff", b"[]", b'{"v":2}')
    topics = (USAGE, HEARTBEATS_DLQ, DENIALS, COMMANDS, CONTRACTS)
    steady.kafka.send([Sent(topic, b"key", value) for topic in topics for value in rubbish])
    steady.send(100)
    steady.check_running()


def _again(world: World, *topics: str) -> list[Sent]:
    """Everything that stands in some topics, as it was sent."""
    return [
        Sent(one.topic, one.key, one.value, one.headers, one.partition)
        for one in world.kafka.read(world.partitions(*topics))
        if one.key is not None or one.value is not None
    ]
