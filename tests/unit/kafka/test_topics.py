"""Topics as code: the contents of ``schemas/topics``."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast, get_args

import pytest
from ruamel.yaml import YAML

from pipeline.codec.contract.yaml_document import CONTRACT_BYTES_MAX
from pipeline.codec.schema_folder import schema_folder
from pipeline.codec.topics.command_messages import COMMAND_BYTES_MAX
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX
from pipeline.codec.topics.usage_frames import USAGE_FRAME_BYTES_MAX
from pipeline.embedded.framing import OVERSIZE_BYTES_KEPT
from pipeline.kafka.producer import MESSAGE_BYTES_MAX
from pipeline.kafka.topics import (
    COMMANDS,
    CONTRACTS,
    DENIALS,
    HEARTBEATS,
    HEARTBEATS_DLQ,
    HEARTBEATS_QUARANTINE,
    TOKEN_LEDGER,
    USAGE,
    Stage,
    topic,
    topics,
)
from pipeline.model.instants import DAY_MS

FOLDER = schema_folder() / "topics"
FILES = [path for path in sorted(FOLDER.glob("*.yaml")) if path.stem != "keys"]
STAGES: tuple[Stage, ...] = get_args(Stage)
EVIDENCE = {HEARTBEATS, HEARTBEATS_DLQ, HEARTBEATS_QUARANTINE, USAGE, DENIALS}
NAMES = EVIDENCE | {COMMANDS, CONTRACTS, TOKEN_LEDGER}


class File(TypedDict):
    name: str
    key: list[str]
    value: dict[str, str]
    partitions: dict[str, int]
    replication: dict[str, int]
    config: dict[str, str | int | dict[str, int]]
    personal_data: str


def content(path: Path) -> File:
    return cast(File, YAML(typ="safe", pure=True).load(path.read_bytes()))


def config_bytes(name: str, stage: Stage) -> int:
    return int(topic(name, stage).config["max.message.bytes"])


@pytest.mark.parametrize("stage", STAGES)
def test_the_files_describe_the_topics_that_the_program_names(stage: Stage) -> None:
    assert sorted(spec.name for spec in topics(stage)) == sorted(NAMES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_named_after_its_topic_and_has_every_field(path: Path) -> None:
    file = content(path)
    assert file["name"] == path.stem
    assert set(file) == set(File.__annotations__)
    assert set(file["partitions"]) == set(file["replication"]) == set(STAGES)
    assert file["key"] in (["account"], ["account", "user"], ["account", "content_hash"])
    assert (schema_folder() / file["value"]["schema"]).is_file()
    assert "retention" in file["personal_data"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_ledger_is_kept_for_ever_with_as_many_partitions_as_usage(stage: Stage) -> None:
    ledger = topic(TOKEN_LEDGER, stage)
    assert (ledger.config["cleanup.policy"], ledger.config["retention.ms"]) == ("delete", "-1")
    assert ledger.partitions == topic(USAGE, stage).partitions


@pytest.mark.parametrize("name", sorted(EVIDENCE))
@pytest.mark.parametrize("stage", STAGES)
def test_topics_of_evidence_keep_messages_by_append_time_longer_than_the_lateness(stage: Stage, name: str) -> None:
    evidence = topic(name, stage)
    assert evidence.config["message.timestamp.type"] == "LogAppendTime"
    assert int(evidence.config["retention.ms"]) > 35 * DAY_MS
    assert evidence.config.get("cleanup.policy", "delete") == "delete"
    assert evidence.partitions >= 1
    assert all(isinstance(value, str) for value in evidence.config.values())


@pytest.mark.parametrize("stage", STAGES)
def test_orders_and_all_versions_of_contracts_are_kept_for_ever(stage: Stage) -> None:
    for name, policy in ((COMMANDS, "delete"), (CONTRACTS, "compact")):
        log = topic(name, stage)
        assert (log.config["cleanup.policy"], log.config["retention.ms"]) == (policy, "-1")
        assert log.config["message.timestamp.type"] == "LogAppendTime"


@pytest.mark.parametrize("stage", STAGES)
def test_one_worker_has_both_usage_and_commands_of_an_account_and_versions_of_a_contract_are_in_order(
    stage: Stage,
) -> None:
    assert topic(COMMANDS, stage).partitions == topic(USAGE, stage).partitions
    assert topic(CONTRACTS, stage).partitions == 1


@pytest.mark.parametrize("name", sorted(NAMES))
def test_production_has_replicas_and_other_stages_have_a_single_broker(name: str) -> None:
    production = topic(name, "production")
    assert (production.replication, production.config["min.insync.replicas"]) == (3, "2")
    for stage in STAGES:
        if stage != "production":
            spec = topic(name, stage)
            assert (spec.replication, spec.config["min.insync.replicas"]) == (1, "1")


@pytest.mark.parametrize("stage", STAGES)
def test_messages_of_every_kind_fit_into_their_topic(stage: Stage) -> None:
    envelope = 100_000
    assert config_bytes(HEARTBEATS, stage) > max(FRAME_BYTES_MAX, OVERSIZE_BYTES_KEPT) + envelope
    assert config_bytes(HEARTBEATS_DLQ, stage) > config_bytes(HEARTBEATS, stage) * 4 / 3 + envelope
    assert config_bytes(USAGE, stage) > USAGE_FRAME_BYTES_MAX + envelope
    assert config_bytes(COMMANDS, stage) > COMMAND_BYTES_MAX + envelope
    assert config_bytes(CONTRACTS, stage) > CONTRACT_BYTES_MAX + envelope // 2
    assert max(config_bytes(name, stage) for name in NAMES) <= MESSAGE_BYTES_MAX
