"""Plays scenarios on the embedded pipeline, each in a process of its own: the engine allows one folder a process.

``python -m tests.support.process.scenario_process SCENARIO …`` says what happens on stdout, a JSON object a line, and
ends with status 1 where the pipeline failed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

import orjson

from pipeline.agents.faust.consumer import consume
from pipeline.agents.live.live_counts import LiveCounts
from pipeline.agents.live.seats_agent import SeatsAgent
from pipeline.agents.store_calls import RetryingStore
from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.codec.contract.examination import load_contract, read_contract_file
from pipeline.codec.statement.line_json import line_record
from pipeline.codec.topics.message_keys import encode_key
from pipeline.codec.topics.usage_frames import encode_facts
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.embedded.pipeline import EmbeddedPipeline, PipelineFailed
from pipeline.kafka.group_lag import GroupProgress, drained
from pipeline.kafka.posting import contract_message
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import HEARTBEATS, USAGE, create_topics, topic, topics
from pipeline.model.instants import EARLIEST_AT, LATEST_AT, Period, iso
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.merge import UsageFold
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client, connect
from pipeline.store.letters import read_letters
from pipeline.store.migrations import migrate
from pipeline.store.stored_sessions import Selection, read_session_days
from tests.support.auditors.recompute import unreceived, valid
from tests.support.process.scenario_messages import encode_day, read_messages
from tests.support.store.written_facts import write_closes, write_session_days

TURN_S: Final = 0.05
LineRecord = dict[str, object]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _say(event: str, **more: object) -> None:
    sys.stdout.buffer.write(orjson.dumps({"event": event, **more}) + b"\n")
    sys.stdout.buffer.flush()


async def _line_read() -> None:
    """Wait for the next line on stdin."""
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()
    heard: asyncio.Future[bytes] = loop.create_future()
    loop.add_reader(stdin, lambda: None if heard.done() else heard.set_result(os.read(stdin, 1)))
    try:
        await heard
    finally:
        loop.remove_reader(stdin)


def _stored_usage(client: Client) -> list[LineRecord]:
    """The stored session days of all accounts, sorted."""
    accounts = [str(row[0]) for row in client.query("SELECT DISTINCT account FROM usage_days").result_rows]
    days = [
        unreceived(day)
        for account in accounts
        for day in read_session_days(client, Selection(account, EARLIEST_AT, LATEST_AT))
    ]
    return [encode_day(day) for day in sorted(days, key=lambda day: (day.session, day.day))]


def _live(seats: LiveCounts, account: str) -> LineRecord:
    counts = seats.account(account)
    return {
        "counts": [[*pool, slot_at, units] for pool, slot_at, units in counts.counts()],
        "in_grace": [[waiting.session.session, iso(waiting.counts_from)] for waiting in counts.in_grace()],
        "horizon_day": counts.horizon_day,
    }


def _contract_message(path: Path) -> Outgoing:
    return contract_message(load_contract(path), read_contract_file(path), applied_by="")


def _reading(contract: Path) -> ContractReading:
    return ContractReading(load_contract(contract), metering_catalogue())


async def _play(args: argparse.Namespace) -> None:
    """Send messages to ``heartbeats``, ``--step`` at a time, drain each step; ``--wait``: a step per line of stdin."""
    reading = _reading(args.contract)
    account = reading.contract.account
    counts = LiveCounts(_now)
    messages = read_messages(args.messages)
    async with EmbeddedPipeline(args.data_dir, args.log, counts, still_s_max=args.still) as pipeline:
        _say("started", broker=pipeline._broker.process_id, bootstrap=pipeline.bootstrap)

        async def work() -> None:
            await pipeline.producer.write([_contract_message(args.contract)])
            for start in range(0, len(messages), args.step):
                if args.wait:
                    await _line_read()
                _say("sending", sent=start)
                chosen = messages[start : start + args.step]
                await pipeline.producer.write(_outgoing(key, value) for key, value in chosen)
                await pipeline.drained(lambda *_: None)
                _say("checkpoint", sent=start + args.step)
            _say("done", **await pipeline.ask_store(_results, args, reading), live=_live(counts, account))

        await pipeline.unless_failed(work())
    _say("stopped")


def _outgoing(key: bytes | None, value: bytes | None) -> Outgoing:
    return Outgoing(HEARTBEATS, key, cast(bytes, value))  # a tombstone has no value; nothing of ours writes one


def _results(client: Client, args: argparse.Namespace, reading: ContractReading) -> LineRecord:
    statement = computed_statement(AccountView.of(client, reading), Period.parse(args.period))
    return {
        "usage": _stored_usage(client),
        "lines": [line_record(line, statement.currency) for line in statement.lines],
        "heartbeats": statement.basis.heartbeats,
        "dead_letters": statement.basis.dead_letters,
        "codes": dict(read_letters(client, args.log).by_code),
    }


async def _seats(args: argparse.Namespace) -> None:
    """The seats agent alone: a part of the usage is in the store, the rest on the topic."""
    account = load_contract(args.contract).account
    stored, awaiting = (_folded(path) for path in (args.stored, args.topic))
    with ThreadPoolExecutor(max_workers=1) as executor:
        loop = asyncio.get_running_loop()
        client = await loop.run_in_executor(executor, _laid_out, args.data_dir, stored)
        async with EmbeddedBroker() as broker:
            await create_topics(broker.bootstrap, topics("embedded"), with_config=False)
            producer = Producer(broker.bootstrap, idempotent=False)
            await producer.start()
            frames = encode_facts(account, awaiting.facts(), awaiting.closes(), [])
            usage = [Outgoing(USAGE, encode_key(account), frame) for frame in frames]
            await producer.write([_contract_message(args.contract), *usage])
            settings = Settings(
                kafka_bootstrap=broker.bootstrap, fetch_wait_ms=50, session_timeout_s=3, rebalance_timeout_s=3,
                commit_interval_ms=100, topics="embedded", seats_rebuild_after_ms=1,
            )  # fmt: skip
            counts, failed = LiveCounts(_now), loop.create_future()

            def set_failed(error: BaseException) -> None:
                with suppress(asyncio.InvalidStateError):  # the first error counts
                    failed.set_result(error)

            def fail(error: BaseException) -> None:
                loop.call_soon_threadsafe(set_failed, error)

            call = RetryingStore(client, executor, settings.store_retry_max_s)
            seats = SeatsAgent(settings, counts, call, fail)
            consumer = consume(settings, seats.agent, fail)
            partitions = {USAGE: topic(USAGE, "embedded").partitions}
            group = GroupProgress(broker.bootstrap, "seatbeat-seats", partitions, producer.ends)
            try:
                async with seats:
                    await asyncio.gather(consumer.start(), group.start())
                    await drained([group], lambda *_: None)
                    await _print_changes(lambda: _live(counts, account), failed)
                    await consumer.stop()
            finally:
                await group.stop()
                await producer.stop()
        await loop.run_in_executor(executor, client.close)
    _say("stopped")


async def _print_changes(live: Callable[[], LineRecord], failed: asyncio.Future[BaseException]) -> None:
    """Print the live counts whenever they change, until a line is read."""
    last: LineRecord = {}
    enough = asyncio.ensure_future(_line_read())
    while not enough.done():
        if failed.done():
            enough.cancel()
            raise PipelineFailed(repr(failed.result()))
        now = live()
        if now != last:
            last = now
            _say("live", **now)
        await asyncio.wait({enough}, timeout=TURN_S)


def _folded(path: Path) -> UsageFold:
    usage = UsageFold()
    for heartbeat in valid(value for _, value in read_messages(path)):
        usage.add(heartbeat, 0)
    return usage


def _laid_out(folder: Path, usage: UsageFold) -> Client:
    client = connect(f"chdb://{folder}")
    migrate(client)
    write_session_days(client, usage.session_days())
    write_closes(client, usage.closes())
    return client


def _stored(args: argparse.Namespace) -> None:
    """What a store holds: usage, and the rows of a query where one is given."""
    client = connect(f"chdb://{args.data_dir}")
    try:
        rows = client.query(args.query).result_rows if args.query else []
        _say("stored", usage=_stored_usage(client) if not args.query else [], rows=[list(row) for row in rows])
    finally:
        client.close()


def main(arguments: list[str] | None = None) -> int:
    """Play one scenario."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.process.scenario_process", description=__doc__)
    scenarios = parser.add_subparsers(dest="scenario", required=True)
    play = scenarios.add_parser("play")
    play.add_argument("--log", default="played")
    play.add_argument("--period", default="2022Q2")
    play.add_argument("--step", type=int, default=1_000_000)
    play.add_argument("--wait", action="store_true")
    play.add_argument("--still", type=float, default=30.0)
    play.add_argument("--messages", type=Path, required=True)
    seats = scenarios.add_parser("seats")
    seats.add_argument("--stored", type=Path, required=True)
    seats.add_argument("--topic", type=Path, required=True)
    stored = scenarios.add_parser("stored")
    stored.add_argument("--query", default="")
    for scenario in (play, seats, stored):
        scenario.add_argument("--data-dir", type=Path, required=True)
        scenario.add_argument("--contract", type=Path)
    args = parser.parse_args(arguments)
    try:
        if args.scenario == "stored":
            _stored(args)
        else:
            asyncio.run(_play(args) if args.scenario == "play" else _seats(args))
    except PipelineFailed as error:
        _say("failed", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
