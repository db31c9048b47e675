"""What `seatbeat migrate` reports about topics that differ from ``schemas/topics``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.cli.commands.migrate import difference_text
from pipeline.kafka.settings import STAGES
from pipeline.kafka.topic_differences import BrokerTopic, TopicDifference, compare
from pipeline.kafka.topics import Stage, Topic, TopicRefused, created, topics

BROKER = "kafka:9092"
WANTED = Topic("usage", 12, 3, {"retention.ms": "3456000000", "min.insync.replicas": "2"})
AS_WANTED = BrokerTopic("usage", 12, 3, {"retention.ms": "3456000000", "min.insync.replicas": "2", "segment.ms": "7"})


@pytest.mark.parametrize("stage", STAGES)
def test_a_topic_that_matches_its_file_does_not_differ(stage: Stage) -> None:
    for topic in topics(stage):
        assert compare(topic, BrokerTopic(topic.name, topic.partitions, topic.replication, topic.config), BROKER) == ()


def test_settings_that_the_file_does_not_name_are_ignored() -> None:
    assert compare(WANTED, AS_WANTED, BROKER) == ()


def test_too_few_partitions_are_reported_with_the_command_that_adds_them() -> None:
    assert compare(WANTED, replace(AS_WANTED, partitions=6), BROKER) == (
        TopicDifference(
            "usage",
            "partitions",
            "12",
            "6",
            "kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic usage --partitions 12",
        ),
    )


def test_too_many_partitions_are_reported_without_a_command_because_kafka_removes_none() -> None:
    (difference,) = compare(WANTED, replace(AS_WANTED, partitions=24), BROKER)
    assert (difference.what, difference.wanted, difference.actual) == ("partitions", "12", "24")
    assert "Kafka takes no partitions away" in difference.remedy
    assert "SEATBEAT_LOG_ID" not in difference.remedy


def test_recreating_heartbeats_needs_a_new_log_id_because_offsets_start_again() -> None:
    (difference,) = compare(
        replace(WANTED, name="heartbeats"), replace(AS_WANTED, name="heartbeats", partitions=24), BROKER
    )
    assert "SEATBEAT_LOG_ID" in difference.remedy


@pytest.mark.parametrize("replication", [1, 5])
def test_a_different_replication_is_reported(replication: int) -> None:
    (difference,) = compare(WANTED, replace(AS_WANTED, replication=replication), BROKER)
    assert (difference.what, difference.wanted, difference.actual) == ("replication", "3", str(replication))
    assert "kafka-reassign-partitions.sh --bootstrap-server kafka:9092" in difference.remedy


def test_each_different_setting_is_reported_with_the_command_that_sets_it() -> None:
    config = {"retention.ms": "604800000", "min.insync.replicas": "1"}
    differences = compare(WANTED, replace(AS_WANTED, config=config), BROKER)
    assert [
        (difference.what, difference.wanted, difference.actual, difference.is_certain) for difference in differences
    ] == [
        ("retention.ms", "3456000000", "604800000", True),
        ("min.insync.replicas", "2", "1", True),
    ]
    assert differences[0].remedy == (
        "kafka-configs.sh --bootstrap-server kafka:9092 --entity-type topics --entity-name usage "
        "--alter --add-config retention.ms=3456000000"
    )


def test_a_setting_that_the_broker_does_not_report_is_shown_as_unknown() -> None:
    (difference,) = compare(WANTED, replace(AS_WANTED, config={"retention.ms": "3456000000"}), BROKER)
    assert (difference.what, difference.actual, difference.is_certain) == ("min.insync.replicas", None, False)
    assert difference_text(difference).startswith("topic usage: the broker does not tell min.insync.replicas")


def test_a_missing_topic_is_a_single_difference() -> None:
    assert [(difference.what, difference.remedy) for difference in compare(WANTED, None, BROKER)] == [
        ("topic", "Run `seatbeat migrate`")
    ]


def test_a_difference_reads_as_a_sentence_with_its_remedy() -> None:
    (difference,) = compare(WANTED, replace(AS_WANTED, partitions=6), BROKER)
    assert difference_text(difference) == (
        "topic usage: partitions is 6, not 12: "
        "kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic usage --partitions 12"
    )


def test_only_topics_that_the_broker_reports_as_created_are_created() -> None:
    assert created([("usage", 36, "Topic 'usage' already exists."), ("denials", 0, None)]) == ("denials",)


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [("only 1 broker is registered", "only 1 broker is registered"), (None, "Replication-factor")],
)
def test_a_topic_that_the_broker_refused_is_an_error_with_its_reason(refusal: str | None, reason: str) -> None:
    with pytest.raises(TopicRefused, match=f"topic usage: {reason}"):
        created([("denials", 0, None), ("usage", 38, refusal)])
