"""Topics as code: ``schemas/topics/*.yaml`` read, and created on a broker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypedDict, cast

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import murmur2
from ruamel.yaml import YAML

from pipeline.codec.schemas import schema_folder

HEARTBEATS: Final = "heartbeats"
HEARTBEATS_DLQ: Final = "heartbeats-dlq"
USAGE: Final = "usage"
DENIALS: Final = "denials"

Stage = Literal["production", "embedded"]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as one stage has it: partitions, replicas, and the broker's settings for it."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


class _PerStage(TypedDict):
    production: int
    embedded: int


class _File(TypedDict):
    name: str
    partitions: _PerStage
    replication: _PerStage
    config: dict[str, str | int | _PerStage]


@cache
def topics(stage: Stage) -> tuple[Topic, ...]:
    """Every topic of ``schemas/topics``, by name."""
    folder = schema_folder() / "topics"
    return tuple(
        _read(path.read_text(encoding="utf-8"), stage) for path in sorted(folder.glob("*.yaml")) if path.stem != "keys"
    )


def topic(name: str, stage: Stage) -> Topic:
    """One topic by its name."""
    return next(one for one in topics(stage) if one.name == name)


async def create_topics(bootstrap: str, wanted: Iterable[Topic], *, with_config: bool = True) -> tuple[str, ...]:
    """Create the topics that are not there yet and name them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        missing = [one for one in wanted if one.name not in present]
        if missing:
            await admin.create_topics(
                [
                    NewTopic(
                        one.name, one.partitions, one.replication, topic_configs=dict(one.config) if with_config else {}
                    )
                    for one in missing
                ]
            )
        return tuple(one.name for one in missing)
    finally:
        await admin.close()


def _read(text: str, stage: Stage) -> Topic:
    content = cast(_File, YAML(typ="safe", pure=True).load(text))
    config = {
        name: str(value[stage] if isinstance(value, dict) else value) for name, value in content["config"].items()
    }
    return Topic(content["name"], content["partitions"][stage], content["replication"][stage], config)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's clients choose for a key: its murmur2, the sign bit cleared, modulo the partitions."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
