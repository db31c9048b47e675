"""Input that is repeated, on another partition, under a wrong key, or invalid does not change results (R1, R2)."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from pipeline.kafka.topics import COMMANDS, CONTRACTS, DENIALS, HEARTBEATS, HEARTBEATS_DLQ, USAGE
from tests.chaos.inputs import Sent
from tests.chaos.world import World

pytestmark = pytest.mark.chaos


def test_replaying_heartbeats_changes_only_the_deliveries(steady: World) -> None:
    steady.send(200)
    steady.send(_again(steady, HEARTBEATS))
    steady.check_running()


def test_replaying_topics_between_the_agents_changes_nothing(steady: World) -> None:
    steady.send(200)
    steady.until_drained()
    before = steady.difference()
    steady.kafka.send(_again(steady, USAGE, HEARTBEATS_DLQ, DENIALS, COMMANDS, CONTRACTS))
    steady.check_running()
    assert before == ""


def test_duplicates_on_other_partitions_change_only_the_deliveries(steady: World) -> None:
    chance, partitions = steady.chance, steady.partitions(HEARTBEATS)[HEARTBEATS]
    messages = [message for message in steady.evidence.take(150) if message.topic == HEARTBEATS]
    copies = [replace(message, partition=chance.randrange(partitions)) for message in messages for _ in range(3)]
    chance.shuffle(copies)
    steady.send(copies)
    steady.check_running()


@pytest.mark.parametrize("kind", ["wrong", "none"])
def test_wrong_or_missing_keys_change_no_count(steady: World, kind: str) -> None:
    messages = [
        message for message in steady.evidence.take(150) if message.topic == HEARTBEATS and message.value is not None
    ]
    keys = (b"", b"\x00\x00\x00\x06studi", bytes(range(256))) if kind == "wrong" else (None,)
    steady.send([replace(message, key=steady.chance.choice(keys)) for message in messages])
    steady.check_running()


def test_poison_messages_are_dead_lettered_and_stop_nothing(steady: World) -> None:
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
    mixed = [
        Sent(HEARTBEATS, b"poison", value, partition=partition) for value in poison for partition in range(partitions)
    ]
    mixed += [message for message in steady.evidence.take(200) if message.topic == HEARTBEATS]
    steady.chance.shuffle(mixed)
    steady.send(mixed)
    steady.check_running()


def test_foreign_messages_are_dead_lettered_on_every_topic(steady: World) -> None:
    rubbish = (b"rubbish", b"\xff", b"[]", b'{"v":2}')
    topics = (USAGE, HEARTBEATS_DLQ, DENIALS, COMMANDS, CONTRACTS)
    steady.kafka.send([Sent(topic, b"key", value) for topic in topics for value in rubbish])
    steady.send(100)
    steady.check_running()


def _again(world: World, *topics: str) -> list[Sent]:
    """All messages of some topics, to be sent again."""
    return [
        Sent(message.topic, message.key, message.value, message.headers, message.partition)
        for message in world.kafka.read(world.partitions(*topics))
        if message.key is not None or message.value is not None
    ]
