"""Cases of the Faust consumer beyond its contract (``consumer_contract``), on an embedded broker.

``python -m tests.support.agents.checkpointing`` plays every case and prints its observations, a JSON object;
``faust_crashes``, ``commit_refused`` and ``commits_too_late``, which log errors, are played alone. No case touches a
store: ``retried`` and ``refused`` use a client that fails.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError

from pipeline.agents.consuming import Pace
from pipeline.agents.faust.consumer import consume
from pipeline.agents.faust.transport import WAITING_BYTES, waiting_bytes
from pipeline.agents.health.monitor import Monitor, StandsStill
from pipeline.agents.sink import Batch
from pipeline.agents.store_calls import RetryingStore
from pipeline.codec.columns.usage_messages import NO_USAGE
from pipeline.codec.columns.usage_rows import rows_of_days
from pipeline.kafka.producer import Outgoing
from pipeline.model.evidence import SessionDay, SessionKey
from pipeline.store.client import StoreRefused
from tests.support.agents.consumer_case import NEVER_MS, WAIT_S_MAX, Seen, flush_nothing, play_all, until
from tests.support.agents.faust_case import FailingClient, FaustCase


async def passed_over(case: FaustCase) -> Seen:
    """Faust's consumer continues beyond its position."""
    async with case.running(flush_nothing, Pace(1, 20)):
        await case.send("one")
        await until(lambda: bool(case.acknowledged))
        await case.pass_over(3, "lost", "lost", "four")
        return await _missed(case)


async def passed_over_at_first(case: FaustCase) -> Seen:
    """Faust's consumer starts beyond the first uncommitted message."""
    async with case.running(flush_nothing, Pace(1, 20)):
        await case.pass_over(2, "lost", "lost", "three")
        return await _missed(case)


async def stands_still(case: FaustCase) -> Seen:
    """A checkpoint never ends, although the broker answers; the monitor watches."""

    async def flush(_: list[str]) -> None:
        await asyncio.Event().wait()

    async with case.running(flush, Pace(1, NEVER_MS)):
        await case.send("one")
        await until(lambda: case.step.taken == ["one"])
        assert case.consumer is not None
        monitor = Monitor(("case",), stall_ms=1_000, now=lambda: time.time_ns() // 1_000_000)
        watching = monitor.watch(case.bootstrap, {"case": case.consumer}, None)
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                await watching
        except StandsStill as error:
            return {"error": str(error).replace(case.name, "TOPIC").rpartition(" for ")[0]}
    return {}


async def _missed(case: FaustCase) -> Seen:
    await until(lambda: bool(case.failures))
    return {
        "taken": case.step.taken,
        "failures": case.failed_with(),
        "acknowledged": case.acknowledged,
    }


async def produce_fails(case: FaustCase) -> Seen:
    """The outputs of a checkpoint cannot be produced: they exceed the largest message."""

    async def flush(texts: list[str]) -> None:
        await case.producer.write([Outgoing(case.name, None, b"x" * 5 * 1024 * 1024) for _ in texts])

    async with case.running(flush, Pace(1_000, 20)):
        await case.send("one")
        await until(lambda: bool(case.failures))
        await case.send("two")
        return await _afterwards(case)


async def faust_crashes(case: FaustCase) -> Seen:
    """A part of Faust crashes without notice to any agent."""
    async with case.running(flush_nothing, Pace(1, 20)):
        await case.send("one")
        await until(lambda: bool(case.acknowledged))
        await case.app.consumer.crash(RuntimeError("the commit was refused"))
        await until(lambda: bool(case.failures))
    return {"failures": [str(failure) for failure in case.failures[:1]]}


async def commits_too_late(case: FaustCase) -> Seen:
    """The last commit of a stopping app reaches the consumer's thread when that no longer reads its calls."""

    async def commit_nothing(*_: object) -> bool:
        return False

    async with case.running(flush_nothing, Pace(1, 20)):
        consumer: Any = case.app.consumer
        thread: Any = consumer._thread
        consumer.commit = commit_nothing
        await case.send("one")
        await until(lambda: bool(case.acknowledged))
        stop, call, called = thread._consumer.stop, thread.method_queue.call, threading.Event()

        async def call_late(*args: Any) -> Any:
            queued = await call(*args)
            called.set()
            return queued

        async def stop_late() -> None:
            thread.method_queue.call = call_late
            await asyncio.to_thread(called.wait, WAIT_S_MAX)
            await stop()

        thread._consumer.stop = stop_late
        del consumer.commit
        await consumer.crash(RuntimeError("the thread ends"))
        await until(lambda: thread.method_queue.call == call_late)
    return {"called": called.is_set(), "failures": [str(failure) for failure in case.failures[:1]]}


async def commit_refused(case: FaustCase) -> Seen:
    """The broker refuses a commit, which only the consumer's thread notices."""

    async def refuse(_: object) -> None:
        raise CommitFailedError("refused")

    async with case.running(flush_nothing, Pace(1, 20)):
        consumer: AIOKafkaConsumer = vars(vars(case.app.consumer)["_thread"])["_consumer"]
        consumer.commit = refuse
        await case.send("one")
        await until(lambda: bool(case.failures))
    return {"failures": [type(failure).__name__ for failure in case.failures[:1]]}


async def _afterwards(case: FaustCase) -> Seen:
    """The observations after another agent has processed the messages that followed the failure."""
    await case.let_others_commit()
    return {
        "taken": case.step.taken,
        "failures": case.failed_with(),
        "acknowledged": case.acknowledged,
        "committed": await case.committed(),
    }


async def fills(case: FaustCase) -> Seen:
    """More messages arrive during a checkpoint than may wait."""
    text, waited, said = "x" * 262_144, list[int](), list[str]()
    half = 3 * WAITING_BYTES // 2 // len(text)

    async def flush(_: list[str]) -> None:
        if not waited:
            app = case.app
            await until(lambda: waiting_bytes(app) > WAITING_BYTES)
            consumer: Any = app.consumer
            consumer._thread.time_started -= 86_400.0
            with _hearing(said):
                await consumer.verify_all_partitions_active()
            await case.send(*[text] * half)
            waited.append(waiting_bytes(app))

    before = [Outgoing(case.name, None, text.encode())] * half
    async with case.running(flush, Pace(1, NEVER_MS), before):
        await case.until_committed(2 * half)
        all_taken = len(case.step.taken) == 2 * half
        return {"waited": waited, "said": said, "sent": 2 * half * len(text), "taken": all_taken}


@contextmanager
def _hearing(said: list[str]) -> Iterator[None]:
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]  # all that is needed
    logger = logging.getLogger("pipeline.agents.faust.transport")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


async def turns(case: FaustCase) -> Seen:
    """Three partitions have a backlog of a thousand messages each."""
    case.partitions = 3
    before = [Outgoing(case.name, b"%d" % number, b"%d" % number) for number in range(3_000)]
    async with case.running(flush_nothing, Pace(100, 20), before):
        await case.until_committed(len(before))
        partitions = [partition for partition, _ in case.acknowledged]
        return {"first_of_each": sorted(map(partitions.index, set(partitions)))}


async def order(case: FaustCase) -> Seen:
    """Many messages on several partitions, acknowledged checkpoint by checkpoint."""
    case.partitions = 3
    texts = [f"{number}" for number in range(100)]
    async with case.running(flush_nothing, Pace(7, 20)):
        await case.send(*texts)
        await case.until_committed(len(texts))
        return {"acknowledged": case.acknowledged, "taken": sorted(case.step.taken) == sorted(texts)}


async def retried(case: FaustCase) -> Seen:
    """The store fails twice, then accepts the rows."""
    client = FailingClient([StoreRefused("away", "OperationalError"), StoreRefused("still away", "OperationalError")])
    retries: list[str] = []
    early: list[int] = []
    with ThreadPoolExecutor(max_workers=1) as executor:
        call = RetryingStore(client, executor, 1.0, lambda error: retries.append(str(error)))
        async with case.running(lambda texts: call(_batch(texts).write), Pace(2, NEVER_MS)):
            await case.send("one", "two")

            async def committed() -> bool:
                committed_offset = await case.committed()
                if not client.done:
                    early.append(committed_offset)
                return committed_offset == 2

            await until(committed)
    return {
        "retries": retries,
        "tries": len(client.tries),
        "same_rows": all(rows == client.tries[0] for rows in client.tries),
        "rows": [row["session"] for row in client.tries[0]],
        "early": sorted(set(early)),
    }


async def refused(case: FaustCase) -> Seen:
    """The store fails permanently."""
    client = FailingClient([ValueError("not a row")])
    with ThreadPoolExecutor(max_workers=1) as executor:
        call = RetryingStore(client, executor, 1.0, lambda _: None)
        async with case.running(lambda texts: call(_batch(texts).write), Pace(1, NEVER_MS)):
            await case.send("one")
            await until(lambda: bool(case.failures))
            return {**await _afterwards(case), "tries": len(client.tries)}


def _batch(texts: list[str]) -> Batch:
    days = [
        SessionDay(SessionKey("acme", "MSTN", "", "production", "pc", "eva", text), 19_000, 1, 2, 1, {}, "", 0, 0)
        for text in texts
    ]
    return Batch(NO_USAGE._replace(rows=rows_of_days(days, ())))


CASES: Final = (
    produce_fails,
    fills,
    turns,
    order,
    retried,
    refused,
    passed_over,
    passed_over_at_first,
    stands_still,
)


if __name__ == "__main__":
    chosen = [faust_crashes, commit_refused, commits_too_late] if "faust_crashes" in sys.argv else CASES
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(play_all(chosen, FaustCase, consume))))
