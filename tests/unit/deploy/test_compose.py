"""The compose file agrees with the settings, the roles and the topics."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypedDict, cast

import pytest
from ruamel.yaml import YAML

from pipeline.agents.worker_process import ROLES
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import topics

ROOT = Path(__file__).resolve().parents[3]


class Service(TypedDict, total=False):
    image: str
    command: list[str]
    environment: dict[str, str]
    healthcheck: dict[str, object]
    volumes: list[str]
    stop_grace_period: str


class Compose(TypedDict):
    services: dict[str, Service]
    volumes: dict[str, None]


@pytest.fixture(scope="module")
def compose() -> Compose:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return cast(Compose, YAML(typ="safe", pure=True).load(text))


def test_there_is_a_worker_for_each_role(compose: Compose) -> None:
    roles = [
        service["command"][1:]
        for service in compose["services"].values()
        if service.get("command", [""])[0] == "worker"
    ]
    assert sorted(role for named in roles for role in named) == sorted(ROLES)
    assert all(len(named) == 1 for named in roles)


def test_the_variables_of_every_worker_are_settings_that_pass_their_check(compose: Compose) -> None:
    for service in compose["services"].values():
        given = {
            name: _substituted(value)
            for name, value in service.get("environment", {}).items()
            if name.startswith("SEATBEAT_")
        }
        assert Settings.from_environment(given).kafka_bootstrap in {"kafka:9092", Settings().kafka_bootstrap}


def _substituted(value: str) -> str:
    """What a worker gets where a variable of compose holds a password such as a generator gives."""
    return re.sub(r"\$\{\w+:\?[^}]*\}", "kq/8+Zt@4=", value)


def test_a_supervisor_waits_longer_for_a_worker_than_its_last_resort(compose: Compose) -> None:
    workers = [service for service in compose["services"].values() if service.get("command", [""])[0] == "worker"]
    assert {worker["stop_grace_period"] for worker in workers} == {"30s"}
    assert Settings().end_s < 30


def test_every_image_is_pinned_to_a_version(compose: Compose) -> None:
    for name, service in compose["services"].items():
        assert re.fullmatch(r"[a-z/-]+:\d+(\.\d+)+", service["image"]), name


def test_kafka_is_the_version_that_the_suite_runs_against(compose: Compose) -> None:
    pom = (ROOT / "tests/kafka/pom.xml").read_text(encoding="utf-8")
    version = re.search(r"<kafka.version>(.+)</kafka.version>", pom)
    assert version is not None
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{version[1]}"


def test_lasting_services_have_a_health_check_and_named_volumes(compose: Compose) -> None:
    for name, service in compose["services"].items():
        assert "healthcheck" in service, name
    for name in ("kafka", "clickhouse"):
        volume = compose["services"][name]["volumes"][0].split(":")[0]
        assert volume in compose["volumes"]


def test_topics_of_a_single_broker_have_a_single_replica(compose: Compose) -> None:
    assert compose["services"]["meter"]["environment"]["SEATBEAT_TOPICS"] == "single"
    assert {topic.replication for topic in topics("single")} == {1}
    assert {topic.config["min.insync.replicas"] for topic in topics("single")} == {"1"}
