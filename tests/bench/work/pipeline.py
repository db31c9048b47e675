"""Our own path: the meter, and with ``--store`` the sink beside it, in one process as a worker runs them.

Durable: every usage frame acknowledged by the broker, the offsets committed. Visible: every row inserted. The clock
starts with the first message and ends with the commit after the last checkpoint. Says each checkpoint as it is made.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import pyarrow.compute as pc
from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.agents.consuming import Agent, CheckpointMade
from pipeline.agents.faust.consumer import FaustConsumer, consume
from pipeline.agents.meter import JudgedMessage, meter_agent
from pipeline.agents.sink import SINK_TOPICS, Batch, sink_agent
from pipeline.agents.store_calls import RetryingStore
from pipeline.kafka.producer import Producer
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import topic
from pipeline.store.client import Client, connect
from pipeline.store.migrations import migrate
from tests.bench.work.say import resident_mib, say


@dataclass(slots=True)
class Progress:
    """What was done when. ``finished`` is set with all of ``heartbeats``, or when the job is told to end."""

    heartbeats: int
    role: str
    finished: asyncio.Future[None]
    judged: int = 0
    done: int = 0
    started_s: float = 0.0
    places: list[tuple[float, int, int]] = field(default_factory=list)

    def tell(self, judged: JudgedMessage) -> None:
        self.judged += judged.valid

    def made(self, checkpoint: CheckpointMade) -> None:
        now_s = time.perf_counter()
        self.started_s = self.started_s or now_s - checkpoint.took_s
        if self.role == "meter":
            self._done(self.judged, now_s)

    def stored(self, heartbeats: int) -> None:
        self._done(self.done + heartbeats, time.perf_counter())

    def _done(self, heartbeats: int, now_s: float) -> None:
        if self.finished.done():
            return
        self.done = heartbeats
        say(done=heartbeats, at_s=now_s, started_s=self.started_s, rss_mib=resident_mib())
        if self.done >= self.heartbeats:
            self.end()

    def fail(self, error: BaseException) -> None:
        self.finished.get_loop().call_soon_threadsafe(self.end, error)

    def end(self, error: BaseException | None = None) -> None:
        if not self.finished.done():
            if error is None:
                self.finished.set_result(None)
            else:
                self.finished.set_exception(error)


def watched(agent: Agent[Batch], progress: Progress, log_id: str, *, trace: bool) -> Agent[Batch]:
    """A sink that reports every batch once it is visible, by the deliveries in it."""

    async def flush(batch: Batch) -> None:
        await agent.flush(batch)
        now_s = time.perf_counter()
        delivered = batch.usage.deliveries
        delivered = delivered.filter(pc.equal(delivered["log"], log_id))
        if trace:
            places = zip(delivered["partition"].to_pylist(), delivered["offset"].to_pylist(), strict=True)
            progress.places += [(now_s, *place) for place in set(places)]
        progress.stored(pc.sum(delivered["heartbeats"]).as_py() or 0)

    return replace(agent, flush=flush)


async def work(args: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    settings = Settings(
        kafka_bootstrap=args.bootstrap, clickhouse_dsn=args.store or "chdb:///", app_id=args.group, log_id=args.group,
        meter_checkpoint_ms=args.meter_ms, sink_checkpoint_ms=args.sink_ms, session_timeout_s=10,
        rebalance_timeout_s=10, topics=args.stage, fetch_wait_ms=50 if args.stage == "embedded" else 500,
    )  # fmt: skip
    progress = Progress(args.heartbeats, "sink" if args.store else "meter", loop.create_future())
    loop.add_signal_handler(signal.SIGTERM, progress.end)
    async with AsyncExitStack() as stack:
        producer = Producer(settings.kafka_bootstrap, idempotent=args.stage != "embedded")
        await producer.start()
        stack.push_async_callback(producer.stop)
        meter = meter_agent(settings, producer, progress.made, progress.tell)
        consumers = [consume(settings, meter, progress.fail)]
        if args.store:
            executor = stack.enter_context(ThreadPoolExecutor(max_workers=1))
            client = await loop.run_in_executor(executor, _opened, args.store)
            stack.callback(client.close)
            sink = sink_agent(settings, RetryingStore(client, executor, 1.0))
            await _skip_what_is_there(settings)
            trace = args.trace == "yes"
            consumers.append(consume(settings, watched(sink, progress, settings.log_id, trace=trace), progress.fail))
        cpu_s = time.process_time()
        for consumer in consumers:
            stack.push_async_callback(consumer.stop)
        await asyncio.gather(*(consumer.start() for consumer in consumers))
        say(started=1, at_s=time.perf_counter())
        await progress.finished
        for consumer in consumers:
            await _commit(consumer)
        seconds = time.perf_counter() - progress.started_s
        if args.trace == "yes":
            for seen_s, partition, offset in progress.places:
                say(seen_s=seen_s, partition=partition, offset=offset)
        if args.store:
            rows = await loop.run_in_executor(executor, _rows, client)
            say(rows=rows[0], session_days=rows[1], rows_before_merges=rows[2], store_bytes=rows[3])
        say(
            heartbeats=progress.done, seconds=seconds, cpu_seconds=time.process_time() - cpu_s,
            started_s=progress.started_s, rss_mib=resident_mib(),
        )  # fmt: skip


def _opened(dsn: str) -> Client:
    client = connect(dsn)
    migrate(client)
    return client


async def _skip_what_is_there(settings: Settings) -> None:
    """Let the sink's group begin at the ends of its topics, past what earlier runs have left."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, group_id=f"{settings.app_id}-sink", enable_auto_commit=False
    )
    await consumer.start()
    try:
        stage = settings.topics
        all_of_them = [
            TopicPartition(name, number)
            for name in SINK_TOPICS["sink"]
            for number in range(topic(name, stage).partitions)  # type: ignore[arg-type]  # validated
        ]
        consumer.assign(all_of_them)
        await consumer.commit(await consumer.end_offsets(all_of_them))
    finally:
        await consumer.stop()


async def _commit(consumer: FaustConsumer) -> None:
    await consumer.app.consumer.commit()


def _rows(client: Client) -> tuple[float, float, float, float]:
    """Rows of session days after merges, session days, rows before merges, and bytes on disk after merges."""
    before = _number(client, "SELECT count() FROM usage_days")
    client.command("OPTIMIZE TABLE usage_days FINAL")
    days = _number(
        client,
        "SELECT uniqExact(account, product, country, usage, day, machine, user, session) FROM usage_days",
    )
    size = _number(client, "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'usage_days'")
    return _number(client, "SELECT count() FROM usage_days"), days, before, size


def _number(client: Client, query: str) -> float:
    return float(str(client.query(query).result_rows[0][0]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.work.pipeline", description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--heartbeats", type=int, required=True)
    parser.add_argument("--store", default="")
    parser.add_argument("--meter-ms", type=int, default=500)
    parser.add_argument("--sink-ms", type=int, default=1_000)
    parser.add_argument("--trace", default="no")
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
