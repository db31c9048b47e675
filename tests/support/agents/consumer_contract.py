"""Cases for the promises of every ``Consumer`` (``pipeline/agents/consuming.py``), on an embedded broker.

``python -m tests.support.agents.consumer_contract IMPLEMENTATION`` plays every case and prints the observations, a
JSON object. The cases depend on no implementation: acknowledgements are read from the broker's committed offsets.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Final

import orjson

from pipeline.agents.consuming import Pace
from pipeline.agents.faust.consumer import consume as consume_with_faust
from pipeline.kafka.producer import Outgoing
from tests.support.agents.consumer_case import (
    NEVER_MS,
    Case,
    Consume,
    Recorder,
    Seen,
    flush_nothing,
    play_all,
    until,
)

IMPLEMENTATIONS: Final[Mapping[str, Consume]] = {"faust": consume_with_faust}


async def order(case: Case) -> Seen:
    """Many messages over several partitions, acknowledged checkpoint by checkpoint."""
    case.partitions = 3
    texts = [f"{number}" for number in range(100)]
    async with case.running(flush_nothing, Pace(7, 20)):
        await case.send(*texts)
        await case.until_committed(len(texts))
        return {"places": case.step.places, "all": sorted(case.step.taken) == sorted(texts)}


async def assigned(case: Case) -> Seen:
    """An agent joins its group while messages wait."""
    case.partitions = 3
    before = [Outgoing(case.name, b"%d" % number, b"%d" % number) for number in range(10)]
    async with case.running(flush_nothing, Pace(1, 20), before):
        await case.until_committed(10)
        assert case.consumer is not None
        places, taken_before = case.announced[-1]
        return {
            "announced": sorted(place.partition for place in places if place.topic == case.name),
            "taken_before": taken_before,
            "the_same_when_asked": case.consumer.assigned() == places,
            "group": case.consumer.group == f"case-{case.name}",
        }


async def some_partitions(case: Case) -> Seen:
    """An agent that reads one of three partitions, with messages in all of them."""
    case.partitions, case.reads = 3, lambda partition: partition == 1
    before = [Outgoing(case.name, None, b"%d" % number, (), number % 3) for number in range(30)]
    async with case.running(flush_nothing, Pace(4, 20), before):
        await case.until_committed(10)
        await case.let_others_commit()
        committed = await case.committed_of_all()
        return {"places": case.step.places, "committed": committed, "failures": len(case.failures)}


async def arrivals(case: Case) -> Seen:
    """Messages that arrive while a checkpoint is being made."""
    flushed: list[list[str]] = []
    let = asyncio.Semaphore(0)

    async def flush(texts: list[str]) -> None:
        flushed.append(texts)
        await let.acquire()

    async with case.running(flush, Pace(3, NEVER_MS)):
        await case.send("a", "b", "c")
        await until(lambda: len(flushed) == 1)
        await case.send("d", "e", "f")
        await case.let_others_commit()
        before = await case.committed()
        let.release()
        await until(lambda: len(flushed) == 2)
        await case.until_committed(3)
        await case.let_others_commit()
        between = await case.committed()
        let.release()
        await case.until_committed(6)
        return {"flushed": flushed, "before": before, "between": between, "failures": len(case.failures)}


async def interval(case: Case) -> Seen:
    """Fewer messages than a checkpoint takes, while the previous checkpoint is still being made."""
    flushed: list[list[str]] = []
    let = asyncio.Semaphore(0)

    async def flush(texts: list[str]) -> None:
        flushed.append(texts)
        await let.acquire()

    async with case.running(flush, Pace(1_000, 20)):
        await case.send("a")
        await until(lambda: len(flushed) == 1)
        await case.send("b", "c")
        await until(lambda: case.step.taken == ["a", "b", "c"])
        before = await case.committed()
        let.release()
        await until(lambda: len(flushed) == 2)
        let.release()
        await case.until_committed(3)
        return {"flushed": flushed, "before": before}


async def step_raises(case: Case) -> Seen:
    """A step fails at the second message of three; a fourth comes later."""
    async with case.running(flush_nothing, Pace(1_000, NEVER_MS)):
        await case.send("one", "poison", "three")
        await until(lambda: bool(case.failures))
        await case.send("four")
        await case.let_others_commit()
        return {"taken": case.step.taken, "failures": case.failed_with(), "committed": await case.committed()}


async def flush_raises(case: Case) -> Seen:
    """The second flush of three fails; the first is committed by then, and more messages come later."""

    async def flush(texts: list[str]) -> None:
        if "b" in texts:
            raise ValueError("the flush was told to fail")

    async with case.running(flush, Pace(1, NEVER_MS)):
        await case.send("a")
        await case.until_committed(1)
        await case.send("b", "c")
        await until(lambda: bool(case.failures))
        await case.send("d")
        await case.let_others_commit()
        return {"failures": case.failed_with(), "committed": await case.committed()}


async def restart(case: Case) -> Seen:
    """An agent is stopped during a flush, and another replaces it."""
    begun = asyncio.Event()

    async def flush(texts: list[str]) -> None:
        if "c" in texts:
            begun.set()
            await asyncio.Event().wait()

    async with case.running(flush, Pace(2, NEVER_MS)):
        await case.send("a", "b")
        await case.until_committed(2)
        await case.send("c", "d")
        await begun.wait()
    first, case.step = case.step.taken, Recorder()
    async with case.running(flush_nothing, Pace(1, 20)):
        await case.until_committed(4)
        return {"first": first, "second": case.step.taken}


CASES: Final = (order, assigned, some_partitions, arrivals, interval, step_raises, flush_raises, restart)

if __name__ == "__main__":
    seen = asyncio.run(play_all(CASES, Case, IMPLEMENTATIONS[sys.argv[1]]))
    sys.stdout.buffer.write(orjson.dumps(seen))
