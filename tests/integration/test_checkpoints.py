"""What the Faust consumer does beyond the contract (``test_consumer_contract``), on the embedded broker."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from pipeline.agents.faust.transport import TURN_MESSAGES_MAX, WAITING_BYTES
from tests.integration.conftest import SideBySide
from tests.support.process.seatbeat_process import Ended, ended, running

Seen = dict[str, Any]


def _play(temporary: Path, *names: str) -> Ended:
    with running((sys.executable, "-m", "tests.support.agents.checkpointing", *names), temporary=temporary) as process:
        return ended(process)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory, side_by_side: SideBySide) -> Future[Ended]:
    temporary = tmp_path_factory.mktemp("crashed")
    return side_by_side.start(lambda: _play(temporary, "faust_crashes"))


@pytest.fixture(scope="module")
def seen_by_case(crashed: Future[Ended], tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The observations of every case, by its name."""
    ended = _play(tmp_path_factory.mktemp("checkpoints"))
    assert ended.status == 0, ended.err
    return {**ended.json, "err": ended.words}


def test_a_produce_that_fails_acknowledges_nothing(seen_by_case: Seen) -> None:
    seen = seen_by_case["produce_fails"]
    assert [failure.partition(":")[0] for failure in seen["failures"]] == ["MessageSizeTooLargeError"]
    assert (seen["taken"], seen["acknowledged"], seen["committed"]) == (["one"], [], 0)


def test_a_gap_in_the_messages_ends_the_agent_and_nothing_after_it_is_acknowledged(
    seen_by_case: Seen,
) -> None:
    assert seen_by_case["passed_over"] == {
        "taken": ["one"],
        "failures": ["MessagesMissed: TOPIC/0: offset 3 came, but 1 never did"],
        "acknowledged": [[0, 0]],
    }
    assert seen_by_case["passed_over_at_first"] == {
        "taken": [],
        "failures": ["MessagesMissed: TOPIC/0: offset 2 came, but 0 never did"],
        "acknowledged": [],
    }


def test_a_stalled_worker_detects_its_stall(seen_by_case: Seen) -> None:
    assert seen_by_case["stands_still"] == {"error": "case: TOPIC/0 has 1 messages to work off and has not moved"}


def test_a_failed_insert_is_retried_with_the_same_rows_and_then_acknowledged(seen_by_case: Seen) -> None:
    assert seen_by_case["retried"] == {
        "retries": ["away", "still away"],
        "tries": 3,
        "same_rows": True,
        "rows": ["one", "two"],
        "early": [0],
    }


def test_an_insert_with_a_permanent_error_ends_the_agent(seen_by_case: Seen) -> None:
    seen = seen_by_case["refused"]
    assert (seen["failures"], seen["tries"]) == (["ValueError: not a row"], 1)
    assert (seen["acknowledged"], seen["committed"]) == ([], 0)


def test_no_more_is_fetched_while_much_waits_and_nothing_is_lost_by_it(seen_by_case: Seen) -> None:
    seen = seen_by_case["fills"]
    assert seen["taken"]
    assert WAITING_BYTES < seen["waited"][0] <= WAITING_BYTES + 5 * 1024 * 1024 < seen["sent"] / 2


def test_a_waiting_agent_is_not_reported_as_stalled(seen_by_case: Seen) -> None:
    assert seen_by_case["fills"]["said"] == []


def test_partitions_are_processed_in_turns(seen_by_case: Seen) -> None:
    _, second, third = seen_by_case["turns"]["first_of_each"]
    assert second <= TURN_MESSAGES_MAX
    assert third <= 2 * TURN_MESSAGES_MAX


def test_messages_are_acknowledged_in_the_order_of_each_partition(seen_by_case: Seen) -> None:
    seen = seen_by_case["order"]
    assert seen["taken"]
    offsets: dict[int, list[int]] = {}
    for partition, offset in seen["acknowledged"]:
        offsets.setdefault(partition, []).append(offset)
    assert len(offsets) == 3
    assert all(acknowledged == list(range(len(acknowledged))) for acknowledged in offsets.values())
    assert sum(map(len, offsets.values())) == 100


def test_agents_of_all_cases_stop_without_output(seen_by_case: Seen) -> None:
    assert seen_by_case["err"] == ""


def test_a_crash_in_faust_itself_ends_the_process(crashed: Future[Ended]) -> None:
    assert crashed.result().json == {"faust_crashes": {"failures": ["the commit was refused"]}}
