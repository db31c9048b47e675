"""The promises of ``pipeline/agents/consuming.py`` for every implementation of a consumer."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.support.agents.consumer_contract import IMPLEMENTATIONS
from tests.support.process.seatbeat_process import ended, running

Seen = dict[str, Any]


@pytest.fixture(scope="module", params=IMPLEMENTATIONS)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The observations of every case, by its name."""
    command = (sys.executable, "-m", "tests.support.agents.consumer_contract", request.param)
    with running(command, temporary=tmp_path_factory.mktemp("contract")) as process:
        end = ended(process)
    assert (end.status, end.words) == (0, ""), end.err
    saw: Seen = end.json
    return saw


def test_messages_arrive_in_the_order_of_each_partition(seen: Seen) -> None:
    assert seen["order"]["all"]
    offsets: dict[int, list[int]] = {}
    for partition, offset in seen["order"]["places"]:
        offsets.setdefault(partition, []).append(offset)
    assert len(offsets) == 3
    assert all(taken == list(range(len(taken))) for taken in offsets.values())


def test_assigned_partitions_are_announced_before_their_first_message(seen: Seen) -> None:
    assert seen["assigned"] == {
        "announced": [0, 1, 2],
        "taken_before": 0,
        "the_same_when_asked": True,
        "group": True,
    }


def test_partitions_that_an_agent_does_not_read_are_neither_taken_nor_acknowledged(seen: Seen) -> None:
    assert seen["some_partitions"] == {
        "places": [[1, offset] for offset in range(10)],
        "committed": 10,
        "failures": 0,
    }


def test_nothing_is_acknowledged_before_its_flush_has_returned(seen: Seen) -> None:
    assert seen["arrivals"] == {
        "flushed": [["a", "b", "c"], ["d", "e", "f"]],
        "before": 0,
        "between": 3,
        "failures": 0,
    }


def test_messages_that_arrive_during_a_flush_belong_to_the_next_one(seen: Seen) -> None:
    assert seen["interval"] == {"flushed": [["a"], ["b", "c"]], "before": 0}


def test_a_step_that_raises_fails_and_acknowledges_nothing(seen: Seen) -> None:
    assert seen["step_raises"] == {
        "taken": ["one", "poison"],
        "failures": ["ValueError: the step was told to fail"],
        "committed": 0,
    }


def test_a_flush_that_raises_fails_and_nothing_after_it_is_acknowledged(seen: Seen) -> None:
    assert seen["flush_raises"] == {"failures": ["ValueError: the flush was told to fail"], "committed": 1}


def test_unacknowledged_messages_are_delivered_again_after_a_restart(seen: Seen) -> None:
    assert seen["restart"] == {"first": ["a", "b", "c", "d"], "second": ["c", "d"]}
