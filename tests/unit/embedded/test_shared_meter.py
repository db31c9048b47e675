"""Two meters side by side: each partition is read by one of them."""

from __future__ import annotations

from typing import cast

from pipeline.agents.consuming import Agent, Pace, Step
from pipeline.embedded.shared_meter import is_read_by, shared
from pipeline.kafka.topics import HEARTBEATS, topic


async def _write_nothing(_: object) -> None:
    pass


AGENT = Agent("meter", (HEARTBEATS,), cast(Step[object], None), _write_nothing, Pace(1, 1))


def test_each_partition_is_read_by_one_of_the_meters() -> None:
    partitions = range(topic(HEARTBEATS, "embedded").partitions)
    first, second = ([number for number in partitions if is_read_by(share, number)] for share in ("first", "second"))
    assert sorted([*first, *second]) == [*partitions]
    assert (len(first), len(second)) == (1, 3)


def test_a_share_is_a_group_of_its_own_that_reads_its_partitions() -> None:
    agents = [shared(AGENT, "first"), shared(AGENT, "second")]
    assert [each.role for each in agents] == ["meter", "meter-2"]
    assert [[each.reads(number) for number in range(4)] for each in agents] == [
        [True, False, False, False],
        [False, True, True, True],
    ]
    assert all(AGENT.reads(number) for number in range(4))
