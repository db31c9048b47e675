"""Topics as code: ``schemas/topics/*.yaml`` read, created on a broker, and compared with what it has.

A topic that is there is never changed: what differs is told with its remedy, and people decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypedDict, cast

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
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
"""Several brokers; one broker on one host; the broker within this process."""


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
    return next(one for one in topics(stage) if one.name == name)


class TopicRefused(KafkaError):  # type: ignore[misc]  # aiokafka carries no types
    """The broker did not create a topic: its name and the broker's reason."""


async def create_topics(bootstrap: str, wanted: Iterable[Topic], *, with_config: bool = True) -> tuple[str, ...]:
    """Create the topics that are not there yet and name them. Raises ``TopicRefused``."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        missing = [one for one in wanted if one.name not in present]
        if not missing:
            return ()
        answer = await admin.create_topics(
            [
                NewTopic(
                    one.name, one.partitions, one.replication, topic_configs=dict(one.config) if with_config else {}
                )
                for one in missing
            ]
        )
        answers = answer.to_object()["topic_errors"]
        return created((one["topic"], one["error_code"], one.get("error_message")) for one in answers)
    finally:
        await admin.close()


def created(answers: Iterable[tuple[str, int, str | None]]) -> tuple[str, ...]:
    """The topics that a broker says it created, from its answer: topic, error code, reason.

    One that came to be meanwhile is none of them. Raises ``TopicRefused`` for the first that is not there now.
    """
    names = []
    for name, code, reason in answers:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise TopicRefused(f"topic {name}: {reason or error.description}")
        if not code:
            names.append(name)
    return tuple(names)


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as a broker tells it: the replicas of the partition that has the fewest; ``config`` as far as told."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicDifference:
    """What a topic has in place of what it should have. ``found`` is ``None`` where the broker does not tell."""

    topic: str
    what: str
    wanted: str
    found: str | None
    remedy: str

    @property
    def is_known(self) -> bool:
        """False where the topic may well be as it should: the broker does not tell."""
        return self.found is not None


async def differences(bootstrap: str, wanted: Iterable[Topic]) -> tuple[TopicDifference, ...]:
    """How the topics on a broker differ from those wanted, a topic that is not there included."""
    topics_wanted = tuple(wanted)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        names = [one.name for one in topics_wanted if one.name in present]
        found = await _describe(admin, names) if names else {}
    finally:
        await admin.close()
    return tuple(one for topic in topics_wanted for one in compare(topic, found.get(topic.name), bootstrap))


def compare(wanted: Topic, found: FoundTopic | None, bootstrap: str) -> tuple[TopicDifference, ...]:
    """How one topic differs, each difference with the command or the choice that mends it."""
    if found is None:
        return (TopicDifference(wanted.name, "topic", "there", "not there", "Run `seatbeat migrate`"),)
    told = []
    if found.partitions != wanted.partitions:
        remedy = _partitions_remedy(wanted, found.partitions, bootstrap)
        told.append(TopicDifference(wanted.name, "partitions", str(wanted.partitions), str(found.partitions), remedy))
    if found.replication != wanted.replication:
        remedy = (
            f"kafka-reassign-partitions.sh --bootstrap-server {bootstrap} --reassignment-json-file FILE --execute, "
            f"with a FILE that lists {wanted.replication} brokers for each partition of {wanted.name}"
        )
        told.append(
            TopicDifference(wanted.name, "replication", str(wanted.replication), str(found.replication), remedy)
        )
    entity = f"kafka-configs.sh --bootstrap-server {bootstrap} --entity-type topics --entity-name {wanted.name}"
    for name, value in wanted.config.items():
        value_found = found.config.get(name)
        if value_found != value:
            does = "--describe --all" if value_found is None else f"--alter --add-config {name}={value}"
            told.append(TopicDifference(wanted.name, name, value, value_found, f"{entity} {does}"))
    return tuple(told)


def _partitions_remedy(wanted: Topic, found: int, bootstrap: str) -> str:
    if found < wanted.partitions:
        tool = f"kafka-topics.sh --bootstrap-server {bootstrap} --alter"
        return f"{tool} --topic {wanted.name} --partitions {wanted.partitions}"
    renew = ", run `seatbeat migrate`"
    if wanted.name == HEARTBEATS:
        renew += " and give SEATBEAT_LOG_ID a new name"
    return f"Kafka takes no partitions away; delete the topic once it is worked off{renew}"


async def _describe(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, FoundTopic]:
    described = cast(list[_TopicDescription], await admin.describe_topics(names))
    configs = await _configs(admin, names)
    return {
        one["topic"]: FoundTopic(
            one["topic"],
            len(one["partitions"]),
            min((len(partition["replicas"]) for partition in one["partitions"]), default=0),
            configs.get(one["topic"], {}),
        )
        for one in described
    }


class _Partition(TypedDict):
    replicas: list[int]


class _TopicDescription(TypedDict):
    topic: str
    partitions: list[_Partition]


class _ConfigEntry(TypedDict):
    config_names: str
    config_value: str | None


class _Resource(TypedDict):
    error_code: int
    resource_name: str
    config_entries: list[_ConfigEntry]


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """What a broker tells of its topics' settings: nothing where it does not know the question."""
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    except KafkaError:
        return {}
    resources = [one for answer in answers for one in cast(list[_Resource], answer.to_object()["resources"])]
    return {
        one["resource_name"]: {
            entry["config_names"]: entry["config_value"]
            for entry in one["config_entries"]
            if entry["config_value"] is not None
        }
        for one in resources
        if not one["error_code"]
    }


def _read(text: str, stage: Stage) -> Topic:
    content = cast(_TopicFile, YAML(typ="safe", pure=True).load(text))
    config = {
        name: str(value[stage] if isinstance(value, dict) else value) for name, value in content["config"].items()
    }
    return Topic(content["name"], content["partitions"][stage], content["replication"][stage], config)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's clients choose for a key: its murmur2, the sign bit cleared, modulo the partitions."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
