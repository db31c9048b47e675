"""Meter, sink and tokens agent over a fleet, with time in its log: the statement is that of a run of the input."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson

from pipeline.agents.bookkeeper import Bookkeeper
from pipeline.agents.post import command_message
from pipeline.agents.progress import GroupProgress, drained
from pipeline.agents.ranges import Ranges
from pipeline.agents.settings import Settings
from pipeline.agents.ticks import tick
from pipeline.agents.tokens import build_tokens
from pipeline.agents.topics import COMMANDS, USAGE
from pipeline.codec.contracts import read_contract
from pipeline.codec.heartbeats import decode
from pipeline.codec.statements import statement_json
from pipeline.embedded.importer import Framer, import_heartbeats
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.model.instants import DAY_MS, Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.contracts import store_contract
from pipeline.store.life import current_statement
from tests.integration.test_run_tokens import CONTRACT
from tests.support.world import World

LOG = "fleet"
NOW = 1_700_000_000_000
Answer = TypeVar("Answer")
Said = ParamSpec("Said")


class Asked:
    """The pipeline's own store."""

    def __init__(self, pipeline: EmbeddedPipeline) -> None:
        self._pipeline = pipeline

    async def __call__(
        self, question: Callable[Concatenate[Client, Said], Answer], *said: Said.args, **named: Said.kwargs
    ) -> Answer:
        return await self._pipeline.ask_store(lambda client: question(client, *said, **named))


async def statement_of(turns: Sequence[list[bytes]], folder: Path) -> dict[str, Any]:
    """What the store says once each turn's heartbeats were metered, and a tick said that they are complete."""
    async with EmbeddedPipeline(folder, LOG) as pipeline:
        return await pipeline.unless_failed(played(pipeline, turns))


async def played(pipeline: EmbeddedPipeline, turns: Sequence[list[bytes]]) -> dict[str, Any]:
    contract = read_contract("tokens", CONTRACT.encode())
    await pipeline.ask_store(store_contract, contract, CONTRACT.encode(), NOW, "")
    settings = Settings(
        kafka_bootstrap=pipeline.bootstrap, log_id=LOG, commit_interval_ms=100, fetch_wait_ms=50, session_timeout_s=3,
        rebalance_timeout_s=3, topics="embedded",
    )  # fmt: skip
    progress = GroupProgress(
        pipeline.bootstrap, "seatbeat-tokens", {one: pipeline.partitions[one] for one in (USAGE, COMMANDS)},
        pipeline.producer.ends,
    )  # fmt: skip
    failures: list[BaseException] = []
    async with (
        Ranges(pipeline.bootstrap, "seatbeat-sink") as stored,
        Ranges(pipeline.bootstrap, "seatbeat-sink") as postings,
    ):
        bookkeeper = Bookkeeper(LOG, stored, postings, pipeline.producer, Asked(pipeline))
        app = build_tokens(settings, bookkeeper, failures.append)
        await app.start()
        await progress.start()
        try:
            for lines in turns:
                framer = Framer("studio", pipeline.partitions["heartbeats"])
                numbered = (("fleet", number, line) for number, line in enumerate(lines, 1))
                await import_heartbeats(numbered, pipeline.producer, framer, lambda _: None)
                await pipeline.drained(lambda *_: None)
                heard_at = max(one.at for line in lines for one in decode(line).heartbeats)
                await pipeline.producer.write([command_message(tick("studio", heard_at))])
                await drained([progress], lambda *_: None)
            await pipeline.producer.write([command_message(tick("studio", heard_at + DAY_MS))])
            await drained([progress], lambda *_: None)
            await pipeline.drained(lambda *_: None)
        finally:
            await app.stop()
            await progress.stop()
    assert failures == []
    reading = ContractReading(contract, metering_catalogue())
    statement = await pipeline.ask_store(
        lambda client: current_statement(
            client, reading, Period.parse("2022Q2"), seatbeat="test", engine="embedded", now=NOW
        )
    )
    found: dict[str, Any] = orjson.loads(statement_json(statement))
    return found


def play(turns: Sequence[list[bytes]], folder: Path) -> dict[str, Any]:
    return asyncio.run(statement_of(turns, folder))


def test_ticks_settle_what_a_run_of_the_same_input_settles_at_its_end(world: World, tmp_path: Path) -> None:
    told = sorted((one for one in world.heartbeats if b'"studio"' in one), key=lambda one: int(orjson.loads(one)["at"]))
    shuffled = [*told]
    random.Random(3).shuffle(shuffled)  # noqa: S311 -- a repeatable shuffle
    (tmp_path / "shuffled.ndjson").write_bytes(b"\n".join(shuffled))
    (tmp_path / "tokens.yaml").write_text(CONTRACT)
    run = world.run(tmp_path / "shuffled.ndjson", contract=tmp_path / "tokens.yaml", options=("--output", "json")).json
    half = len(told) // 2
    # A process opens one embedded store only, and this one may have another open.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        by_ticks = elsewhere.submit(play, [told[:half], told[half:]], tmp_path / "store").result()
    assert by_ticks["lines"] == run["lines"]
    assert by_ticks["tokens"] == run["tokens"]
    assert sum(line["charges"] for line in run["lines"] if line["model"] == "flex") > 100
