"""How the topics on a broker differ from ``schemas/topics``.

An existing topic is never changed: each difference is reported with its remedy, and people decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypedDict, cast

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from pipeline.kafka.topics import HEARTBEATS, Topic


@dataclass(frozen=True, slots=True)
class BrokerTopic:
    """A topic as a broker has it. ``replication`` is the least of its partitions; ``config`` may be incomplete."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicDifference:
    """``actual`` instead of ``wanted``; ``actual`` is ``None`` if the broker does not say."""

    topic: str
    what: str
    wanted: str
    actual: str | None
    remedy: str

    @property
    def is_certain(self) -> bool:
        """False if the topic may well be as wanted, because the broker does not say."""
        return self.actual is not None


async def differences(bootstrap: str, wanted: Iterable[Topic]) -> tuple[TopicDifference, ...]:
    """How the topics on a broker differ from those wanted; a missing topic is a difference."""
    topics_wanted = tuple(wanted)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        names = [topic.name for topic in topics_wanted if topic.name in present]
        actual = await _describe(admin, names) if names else {}
    finally:
        await admin.close()
    return tuple(
        difference for topic in topics_wanted for difference in compare(topic, actual.get(topic.name), bootstrap)
    )


def compare(wanted: Topic, actual: BrokerTopic | None, bootstrap: str) -> tuple[TopicDifference, ...]:
    """How a topic differs, each difference with the command or the choice that corrects it."""
    name = wanted.name
    if actual is None:
        return (TopicDifference(name, "topic", "there", "not there", "Run `seatbeat migrate`"),)
    differing = []
    if actual.partitions != wanted.partitions:
        remedy = _partitions_remedy(wanted, actual.partitions, bootstrap)
        differing.append(TopicDifference(name, "partitions", str(wanted.partitions), str(actual.partitions), remedy))
    if actual.replication != wanted.replication:
        remedy = (
            f"kafka-reassign-partitions.sh --bootstrap-server {bootstrap} --reassignment-json-file FILE --execute, "
            f"with a FILE that lists {wanted.replication} brokers for each partition of {name}"
        )
        differing.append(TopicDifference(name, "replication", str(wanted.replication), str(actual.replication), remedy))
    entity = f"kafka-configs.sh --bootstrap-server {bootstrap} --entity-type topics --entity-name {name}"
    for setting, value in wanted.config.items():
        actual_value = actual.config.get(setting)
        if actual_value != value:
            does = "--describe --all" if actual_value is None else f"--alter --add-config {setting}={value}"
            differing.append(TopicDifference(name, setting, value, actual_value, f"{entity} {does}"))
    return tuple(differing)


def _partitions_remedy(wanted: Topic, actual: int, bootstrap: str) -> str:
    if actual < wanted.partitions:
        tool = f"kafka-topics.sh --bootstrap-server {bootstrap} --alter"
        return f"{tool} --topic {wanted.name} --partitions {wanted.partitions}"
    renew = ", run `seatbeat migrate`"
    if wanted.name == HEARTBEATS:
        renew += " and give SEATBEAT_LOG_ID a new name"
    return f"Kafka takes no partitions away; delete the topic once it is worked off{renew}"


async def _describe(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, BrokerTopic]:
    described = cast(list[_TopicDescription], await admin.describe_topics(names))
    configs = await _configs(admin, names)
    return {
        topic["topic"]: BrokerTopic(
            topic["topic"],
            len(topic["partitions"]),
            min((len(partition["replicas"]) for partition in topic["partitions"]), default=0),
            configs.get(topic["topic"], {}),
        )
        for topic in described
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
    """The settings of topics by name: empty if the broker does not support the request."""
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    except KafkaError:
        return {}
    resources = [resource for answer in answers for resource in cast(list[_Resource], answer.to_object()["resources"])]
    return {
        resource["resource_name"]: {
            entry["config_names"]: entry["config_value"]
            for entry in resource["config_entries"]
            if entry["config_value"] is not None
        }
        for resource in resources
        if not resource["error_code"]
    }
