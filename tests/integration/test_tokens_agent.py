"""Meter, sink and tokens agent over a fleet and an office: ticks lead to the statement of a run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson
import pytest

from pipeline.agents.faust.consumer import consume
from pipeline.agents.tokens.bookkeeper import Bookkeeper
from pipeline.agents.tokens.ticks import tick
from pipeline.agents.tokens.tokens_agent import tokens_agent
from pipeline.application.account_view import AccountView
from pipeline.application.quarter.account_audit import audit_ledger
from pipeline.application.quarter.statement_life import current_statement
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.statement.statement_json import statement_json
from pipeline.embedded.framing import Framer
from pipeline.embedded.importer import import_heartbeats
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.kafka.group_lag import GroupProgress, drained
from pipeline.kafka.posting import command_message
from pipeline.kafka.ranges import Ranges
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import COMMANDS, USAGE
from pipeline.model.instants import DAY_MS, HOUR_MS, Period
from pipeline.model.orders import Assign, Command, Order, Unvoid, Void
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.flex_lines import debits
from pipeline.rules.tokens.ledger import read_ledger
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.postings import read_postings
from tests.integration.test_run_tokens import CONTRACT
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.small_world import World

LOG = "fleet"
NOW = 1_700_000_000_000
Answer = TypeVar("Answer")
Given = ParamSpec("Given")


@dataclass(frozen=True, slots=True)
class Step:
    """Input of an account, in this order: a contract, heartbeats, orders, and a tick."""

    account: str
    heartbeats: Sequence[bytes]
    complete_until: int
    orders: Sequence[Command] = ()
    contract: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """Results in the store: the fleet's statement; the office's debits in order, its balance and audit."""

    statement: dict[str, Any]
    debits: list[tuple[str, int, int]]
    balance: int
    differences: list[tuple[str, str]]


class Asked:
    """The pipeline's own store."""

    def __init__(self, pipeline: EmbeddedPipeline) -> None:
        self._pipeline = pipeline

    async def __call__(
        self, work: Callable[Concatenate[Client, Given], Answer], *args: Given.args, **kwargs: Given.kwargs
    ) -> Answer:
        return await self._pipeline.ask_store(lambda client: work(client, *args, **kwargs))


async def play_in(folder: Path, steps: Sequence[Step]) -> Played:
    """Each step's heartbeats are metered before its orders and its tick are sent."""
    async with EmbeddedPipeline(folder, LOG) as pipeline:
        return await pipeline.unless_failed(played(pipeline, steps))


async def played(pipeline: EmbeddedPipeline, steps: Sequence[Step]) -> Played:
    settings = Settings(
        kafka_bootstrap=pipeline.bootstrap, log_id=LOG, commit_interval_ms=100, fetch_wait_ms=50, session_timeout_s=3,
        rebalance_timeout_s=3, topics="embedded",
    )  # fmt: skip
    progress = GroupProgress(
        pipeline.bootstrap, "seatbeat-tokens", {topic: pipeline.partitions[topic] for topic in (USAGE, COMMANDS)},
        pipeline.producer.ends,
    )  # fmt: skip
    failures: list[BaseException] = []
    async with (
        Ranges(pipeline.bootstrap, "seatbeat-sink") as stored,
        Ranges(pipeline.bootstrap, "seatbeat-sink") as postings,
    ):
        bookkeeper = Bookkeeper(LOG, stored, postings, pipeline.producer, Asked(pipeline))
        consumer = consume(settings, tokens_agent(settings, bookkeeper), failures.append)
        await consumer.start()
        await progress.start()
        try:
            for number, step in enumerate(steps):
                await give(pipeline, step, NOW + number)
                await drained([progress], lambda *_: None)
            await pipeline.drained(lambda *_: None)
        finally:
            await consumer.stop()
            await progress.stop()
    assert failures == []
    return await pipeline.ask_store(results)


async def give(pipeline: EmbeddedPipeline, step: Step, now: int) -> None:
    """Send the input of a step; its heartbeats are stored before the rest is sent."""
    if step.contract:
        body = step.contract.encode()
        await pipeline.ask_store(store_contract, read_contract(step.account, body), body, now, "")
    framer = Framer(step.account, pipeline.partitions["heartbeats"])
    numbered = (("steps", number, line) for number, line in enumerate(step.heartbeats, 1))
    await import_heartbeats(framer.of_lines(numbered), framer, pipeline.producer, lambda _: None)
    await pipeline.drained(lambda *_: None)
    orders = (*step.orders, tick(step.account, step.complete_until))
    await pipeline.producer.write([command_message(order) for order in orders])


def results(client: Client) -> Played:
    """The results in the store."""
    studio, office = (
        ContractReading(read_contract(name, text.encode()), metering_catalogue())
        for name, text in (("studio", CONTRACT), ("office", WITHOUT_FLEX))
    )
    statement = current_statement(AccountView.of(client, studio), Period.parse("2022Q2"), now=NOW)
    ledger = read_ledger("office", read_postings(client, "office"))
    users = {entry.id: debit.window.user for entry, debit in debits(ledger)}
    return Played(
        orjson.loads(statement_json(statement)),
        [(debit.window.user, debit.window.start_at, debit.window.end_at) for _, debit in debits(ledger)],
        ledger.teams["default"].balance,
        [
            (difference.what, users.get(difference.entry, ""))
            for difference in audit_ledger(AccountView.of(client, office)).differences
        ],
    )


def play(steps: Sequence[Step], folder: Path) -> Played:
    return asyncio.run(play_in(folder, steps))


OFFICE = """\
account: office
country: CZ
currency: EUR
products:
  ACD: {}
entitlements:
  - {product: ACD, model: flex, daily_rate: 7, from: 2022-01-01}
  - {product: ACD, model: single_user, policy: autodesk-flex, quantity: 1, from: 2022-01-01}
token_packs:
  - {id: P1, tokens: 100, purchased_at: 2022-01-10}
"""
WITHOUT_FLEX = OFFICE.replace("daily_rate: 7, from: 2022-01-01", "daily_rate: 7, from: 2022-01-01, until: 2022-05-06")
MONDAY, FRIDAY = instant("2022-05-02 00:00"), instant("2022-05-06 00:00")
EIGHT = 8 * HOUR_MS


def used(user: str, at: int) -> bytes:
    """An hour's use."""
    says = {
        "v": 1, "account": "office", "product": "ACD", "machine": f"pc-{user}", "user": user, "session": f"{at}",
        "opened_at": at, "since": at, "at": at + HOUR_MS, "state": "close",
    }  # fmt: skip
    return orjson.dumps(says)


def order(id_: str, wanted: Order) -> Command:
    return Command(id_, "office", "jana", MONDAY, wanted)


def office() -> list[Step]:
    """Eva has a seat of her own; Mia's and Zoe's use is void before it is settled, Dan's after.

    Mia's void is undone when her time is settled, and flex ends on Friday, within Petr's second window.
    """
    users = ("dan", "eva", "mia", "petr", "zoe")
    return [
        Step(
            "office",
            [used(user, MONDAY + EIGHT) for user in users],
            MONDAY + 2 * DAY_MS,
            [
                order("s1", Assign("ACD", "CZ", "eva", MONDAY, model="single_user")),
                order("v1", Void("training", user="zoe", from_at=MONDAY, until_at=MONDAY + DAY_MS)),
                order("v2", Void("training", user="mia", from_at=MONDAY, until_at=MONDAY + DAY_MS)),
            ],
            OFFICE,
        ),
        Step(
            "office",
            [used(user, at + EIGHT) for user in ("eva", "petr") for at in (FRIDAY - DAY_MS, FRIDAY, FRIDAY + DAY_MS)],
            FRIDAY + 4 * DAY_MS,
            [
                order("v3", Void("training", user="dan", from_at=MONDAY, until_at=MONDAY + DAY_MS)),
                order("u1", Unvoid("v2", "it was none")),
            ],
            WITHOUT_FLEX,
        ),
    ]


@pytest.fixture(scope="module")
def both(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Played]:
    """The statement of a run over the shuffled fleet, and the agents' results by ticks, with the office beside it."""
    folder = tmp_path_factory.mktemp("ticks")
    fleet = sorted(
        (heartbeat for heartbeat in world.heartbeats if b'"studio"' in heartbeat),
        key=lambda heartbeat: int(orjson.loads(heartbeat)["at"]),
    )
    shuffled = [*fleet]
    random.Random(3).shuffle(shuffled)  # noqa: S311 -- a repeatable shuffle
    (folder / "shuffled.ndjson").write_bytes(b"\n".join(shuffled))
    (folder / "tokens.yaml").write_text(CONTRACT)
    run = world.run(folder / "shuffled.ndjson", contract=folder / "tokens.yaml", options=("--output", "json")).json
    halves = fleet[: len(fleet) // 2], fleet[len(fleet) // 2 :]
    first_until, until = (max(int(orjson.loads(heartbeat)["at"]) for heartbeat in half) for half in halves)
    first, second = office()
    steps = [
        Step("studio", halves[0], first_until, contract=CONTRACT), first,
        Step("studio", halves[1], until), second,
        Step("studio", [], until + DAY_MS),
    ]  # fmt: skip
    # In a process of its own, because this process may have another embedded store open.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        return run, elsewhere.submit(play, steps, folder / "store").result()


def test_ticks_settle_the_same_windows_as_a_run_of_the_same_input(both: tuple[dict[str, Any], Played]) -> None:
    run, by_ticks = both
    assert by_ticks.statement["lines"] == run["lines"]
    assert by_ticks.statement["tokens"] == run["tokens"]
    assert sum(line["charges"] for line in run["lines"] if line["model"] == "flex") > 100


def test_charges_respect_seats_voids_before_settlement_and_the_end_of_flex(
    both: tuple[dict[str, Any], Played],
) -> None:
    _, played = both
    monday, thursday = MONDAY + EIGHT, FRIDAY - DAY_MS + EIGHT
    assert played.debits == [
        ("dan", monday, monday + DAY_MS),
        ("petr", monday, monday + DAY_MS),
        ("mia", monday, monday + DAY_MS),
        ("petr", thursday, thursday + DAY_MS),
    ]
    assert played.balance == 100 - 4 * 7
    assert played.differences == [("no_evidence", "dan")], "a settled charge stays, and the audit names it"
