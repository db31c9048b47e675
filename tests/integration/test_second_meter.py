"""The process of the second meter: what it answers when asked, and how a run hears that it failed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from pathlib import Path

import orjson
import pytest
from aiokafka import TopicPartition

from pipeline.embedded.broker import EmbeddedBroker
from pipeline.embedded.meter_process import Work
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.embedded.second_meter import PROGRAM, SecondMeter, SecondMeterFailed
from pipeline.kafka.group_lag import GroupProgress, drained
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, USAGE, create_topics, topics
from pipeline.store.account_totals import latest_evidence_at
from tests.support.evidence.frame_members import MINIMAL
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import ENDS_S_MAX

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("_embedded_broker")]

SECOND_PARTITION = 1
FAILS_S_MAX = 60.0


@asynccontextmanager
async def _producing(bootstrap: str) -> AsyncIterator[Producer]:
    producer = Producer(bootstrap, idempotent=False)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _ends_after(values: list[bytes]) -> tuple[dict[TopicPartition, int], list[BaseException]]:
    """What the meter answers once it has committed these messages of ``heartbeats``, and its failures."""
    failures: list[BaseException] = []
    second = SecondMeter(failures.append)
    async with EmbeddedBroker() as broker:
        await create_topics(broker.bootstrap, topics("embedded"), with_config=False)
        async with _producing(broker.bootstrap) as producer:
            await producer.write([Outgoing(HEARTBEATS, b"", value, (), SECOND_PARTITION) for value in values])
            await second.start()
            second.begin(Work(broker.bootstrap, "log"))
            group = GroupProgress(broker.bootstrap, "seatbeat-meter-2", {HEARTBEATS: 2}, producer.ends)
            await group.start()
            try:
                await drained([group], lambda *_: None)
                return await second.ends(), failures
            finally:
                await group.stop()
                await second.stop()


async def _failure_of(work: Work) -> BaseException:
    """The first failure of a meter with this work."""
    failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    second = SecondMeter(lambda error: None if failure.done() else failure.set_result(error))
    await second.start()
    try:
        second.begin(work)
        return await asyncio.wait_for(failure, FAILS_S_MAX)
    finally:
        await second.stop()


def test_where_usage_and_dead_letters_end_is_answered_after_they_are_committed() -> None:
    ends, failures = asyncio.run(_ends_after([orjson.dumps(MINIMAL), b"{", b"17"]))
    assert {place.topic: end for place, end in ends.items()} == {USAGE: 1, HEARTBEATS_DLQ: 2}
    assert failures == []


async def _latest_evidence(folder: Path) -> int | None:
    """What is stored when a pipeline, of whose meters the second alone had work, says that it is drained."""
    async with EmbeddedPipeline(folder, "log", meters=2) as pipeline:
        await pipeline.producer.write([Outgoing(HEARTBEATS, b"", orjson.dumps(MINIMAL), (), SECOND_PARTITION)])
        await pipeline.unless_failed(pipeline.drained(lambda *_: None))
        return await pipeline.ask_store(latest_evidence_at, MINIMAL["account"])


def _stored(folder: Path) -> int | None:
    return asyncio.run(_latest_evidence(folder))


def test_a_pipeline_is_drained_when_what_the_second_meter_wrote_is_stored(tmp_path: Path) -> None:
    # In a process of its own: the engine opens one folder in each.
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        assert process.submit(_stored, tmp_path / "store").result(ENDS_S_MAX) == MINIMAL["at"]


def test_pandas_is_not_loaded() -> None:
    loaded = "import atexit, sys; atexit.register(lambda: print('pandas' in sys.modules, 'pyarrow' in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", loaded + PROGRAM], input=b"", capture_output=True, cwd=ROOT, check=True, timeout=60
    )
    assert done.stdout == b"False True\n"


def test_a_failure_is_reported_as_a_sentence() -> None:
    failed = asyncio.run(_failure_of(Work("127.0.0.1:1", "log")))
    assert isinstance(failed, SecondMeterFailed)
    assert str(failed).startswith("the second meter failed: KafkaConnectionError: ")
    assert "\n" not in str(failed)


def test_a_process_that_cannot_be_run_is_reported_as_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SecondMeterFailed, match=r"^the second meter cannot be run: No such file or directory$"):
        asyncio.run(SecondMeter(lambda _: None).start())
