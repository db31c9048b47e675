"""What `seatbeat migrate` says of topics that are there but are not as ``schemas/topics`` has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.cli.commands.migrate import difference_text
from pipeline.kafka.settings import STAGES
from pipeline.kafka.topics import (
    FoundTopic,
    Stage,
    Topic,
    TopicDifference,
    TopicRefused,
    compare,
    created,
    topics,
)

BROKER = "kafka:9092"
WANTED = Topic("usage", 12, 3, {"retention.ms": "3456000000", "min.insync.replicas": "2"})
AS_WANTED = FoundTopic("usage", 12, 3, {"retention.ms": "3456000000", "min.insync.replicas": "2", "segment.ms": "7"})


@pytest.mark.parametrize("stage", STAGES)
def test_a_topic_that_is_as_its_file_has_it_does_not_differ(stage: Stage) -> None:
    for topic in topics(stage):
        assert compare(topic, FoundTopic(topic.name, topic.partitions, topic.replication, topic.config), BROKER) == ()


def test_settings_that_the_file_does_not_name_are_the_brokers_own_affair() -> None:
    assert compare(WANTED, AS_WANTED, BROKER) == ()


def test_too_few_partitions_are_told_with_the_command_that_adds_them() -> None:
    assert compare(WANTED, replace(AS_WANTED, partitions=6), BROKER) == (
        TopicDifference(
            "usage",
            "partitions",
            "12",
            "6",
            "kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic usage --partitions 12",
        ),
    )


def test_too_many_partitions_are_told_with_no_command_because_kafka_takes_none_away() -> None:
    (difference,) = compare(WANTED, replace(AS_WANTED, partitions=24), BROKER)
    assert (difference.what, difference.wanted, difference.found) == ("partitions", "12", "24")
    assert "Kafka takes no partitions away" in difference.remedy
    assert "SEATBEAT_LOG_ID" not in difference.remedy


def test_heartbeats_made_anew_need_a_new_log_id_because_their_offsets_begin_again() -> None:
    (difference,) = compare(
        replace(WANTED, name="heartbeats"), replace(AS_WANTED, name="heartbeats", partitions=24), BROKER
    )
    assert "SEATBEAT_LOG_ID" in difference.remedy


@pytest.mark.parametrize("replication", [1, 5])
def test_other_replication_is_told_whether_it_is_less_or_more(replication: int) -> None:
    (difference,) = compare(WANTED, replace(AS_WANTED, replication=replication), BROKER)
    assert (difference.what, difference.wanted, difference.found) == ("replication", "3", str(replication))
    assert "kafka-reassign-partitions.sh --bootstrap-server kafka:9092" in difference.remedy


def test_each_setting_with_another_value_is_told_with_the_command_that_sets_it() -> None:
    config = {"retention.ms": "604800000", "min.insync.replicas": "1"}
    differences = compare(WANTED, replace(AS_WANTED, config=config), BROKER)
    assert [
        (difference.what, difference.wanted, difference.found, difference.is_known) for difference in differences
    ] == [
        ("retention.ms", "3456000000", "604800000", True),
        ("min.insync.replicas", "2", "1", True),
    ]
    assert differences[0].remedy == (
        "kafka-configs.sh --bootstrap-server kafka:9092 --entity-type topics --entity-name usage "
        "--alter --add-config retention.ms=3456000000"
    )


def test_a_setting_that_the_broker_does_not_tell_is_told_but_not_held_against_the_topic() -> None:
    (difference,) = compare(WANTED, replace(AS_WANTED, config={"retention.ms": "3456000000"}), BROKER)
    assert (difference.what, difference.found, difference.is_known) == ("min.insync.replicas", None, False)
    assert difference_text(difference).startswith("topic usage: the broker does not tell min.insync.replicas")


def test_a_topic_that_is_not_there_is_the_only_difference_told_of_it() -> None:
    assert [(difference.what, difference.remedy) for difference in compare(WANTED, None, BROKER)] == [
        ("topic", "Run `seatbeat migrate`")
    ]


def test_a_difference_reads_as_a_sentence_with_its_remedy() -> None:
    (difference,) = compare(WANTED, replace(AS_WANTED, partitions=6), BROKER)
    assert difference_text(difference) == (
        "topic usage: partitions is 6, not 12: "
        "kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic usage --partitions 12"
    )


def test_only_topics_that_the_broker_says_it_created_count_as_created() -> None:
    assert created([("usage", 36, "Topic 'usage' already exists."), ("denials", 0, None)]) == ("denials",)


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [("only 1 broker is registered", "only 1 broker is registered"), (None, "Replication-factor")],
)
def test_a_topic_that_the_broker_refused_is_an_error_with_its_reason(refusal: str | None, reason: str) -> None:
    with pytest.raises(TopicRefused, match=f"topic usage: {reason}"):
        created([("denials", 0, None), ("usage", 38, refusal)])
