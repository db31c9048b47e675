"""Topics as code: ``schemas/topics/*.yaml`` read, and created on a broker where they are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypedDict, cast

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import murmur2
from ruamel.yaml import YAML

from pipeline.codec.schema_folder import schema_folder

HEARTBEATS: Final = "heartbeats"
HEARTBEATS_DLQ: Final = "heartbeats-dlq"
HEARTBEATS_QUARANTINE: Final = "heartbeats-quarantine"
USAGE: Final = "usage"
DENIALS: Final = "denials"
COMMANDS: Final = "commands"
CONTRACTS: Final = "contracts"
TOKEN_LEDGER: Final = "token-ledger"  # noqa: S105 (a licence unit, no credential)

Stage = Literal["production", "single", "embedded"]
"""Several brokers; a single broker; the embedded broker."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as one stage has it: partitions, replicas, and the broker's settings for it."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


class _PerStage(TypedDict):
    production: int
    single: int
    embedded: int


class _TopicFile(TypedDict):
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
    return next(listed for listed in topics(stage) if listed.name == name)


class TopicRefused(KafkaError):  # type: ignore[misc]  # aiokafka carries no types
    """The broker did not create a topic: its name and the broker's reason."""


async def create_topics(bootstrap: str, wanted: Iterable[Topic], *, with_config: bool = True) -> tuple[str, ...]:
    """Create the missing topics and return their names. Raises ``TopicRefused``."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in present]
        if not missing:
            return ()
        answer = await admin.create_topics([_new_topic(topic, with_config=with_config) for topic in missing])
        answers = answer.to_object()["topic_errors"]
        return created((each["topic"], each["error_code"], each.get("error_message")) for each in answers)
    finally:
        await admin.close()


def created(answers: Iterable[tuple[str, int, str | None]]) -> tuple[str, ...]:
    """The names of the topics that a broker has created, from its answers: topic, error code, reason.

    A topic that somebody else created meanwhile is left out. Raises ``TopicRefused`` for the first that is missing now.
    """
    names = []
    for name, code, reason in answers:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise TopicRefused(f"topic {name}: {reason or error.description}")
        if not code:
            names.append(name)
    return tuple(names)


def _new_topic(topic: Topic, *, with_config: bool) -> NewTopic:
    config = dict(topic.config) if with_config else {}
    return NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=config)


def _read(text: str, stage: Stage) -> Topic:
    content = cast(_TopicFile, YAML(typ="safe", pure=True).load(text))
    config = {
        name: str(value[stage] if isinstance(value, dict) else value) for name, value in content["config"].items()
    }
    return Topic(content["name"], content["partitions"][stage], content["replication"][stage], config)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's clients choose for a key: its murmur2, the sign bit cleared, modulo the partitions."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
