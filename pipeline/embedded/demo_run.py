"""``seatbeat demo``: a seeded sample fleet through the whole pipeline, with live seats, then its statement."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.agents.live.seats_agent import LiveCounts
from pipeline.application.account_view import AccountView
from pipeline.application.explained_slot import explain_slot_at
from pipeline.application.statement_life import current_statement
from pipeline.application.token_account import token_explanation
from pipeline.application.token_settlement import settle_input
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.schema_folder import schema_folder
from pipeline.embedded.importer import Framer, Line, import_heartbeats
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.fleet.clients import PlannedSession, demo_plan, demo_story, fleet
from pipeline.kafka.topics import HEARTBEATS
from pipeline.model.contracts import Contract
from pipeline.model.instants import Period, day_of
from pipeline.model.statements import Statement
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.explain.slot_explanation import SlotExplanation
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.charge_explanation import Asked, Charge
from pipeline.store.account_totals import latest_evidence_at
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.facts import write_completeness

LOG: Final = "demo"
CONTRACT: Final = "studio.yaml"


@dataclass(frozen=True, slots=True)
class LiveSeats:
    """The fullest slot of the day: ``(product, in use, entitled)`` per pool; and the sessions in grace now."""

    slot_at: int
    pools: tuple[tuple[str, int, int], ...]
    in_grace: int


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """The statement, its most over-used peak and one charge in tokens taken apart, and how much it took.

    ``charge`` is what the session ``left_open`` over a weekend cost.
    """

    statement: Statement
    peak: SlotExplanation
    charge: Charge
    left_open: PlannedSession
    heartbeats: int
    metering_ms: int


Told = Callable[[str, int, int, LiveSeats | None], None]
"""Hears a stage (``sent`` or a consumer group), how far it is, of how much, and the live seats."""


async def play_demo(data_dir: Path, told: Told) -> DemoOutcome:
    """Play the sample fleet. Raises ``PipelineFailed``."""
    body = (schema_folder() / "contracts" / CONTRACT).read_bytes()
    contract = read_contract(CONTRACT, body)
    reading = ContractReading(contract, metering_catalogue())
    seats = LiveCounts(lambda _account: reading)
    lines = list(fleet(demo_plan()))
    async with EmbeddedPipeline(data_dir, LOG, seats) as pipeline:
        started_ms = time.monotonic_ns() // 1_000_000

        def progress(stage: str, done: int, end: int) -> None:
            told(stage, done, end, live_seats(seats, contract, reading))

        async def work() -> DemoOutcome:
            framer = Framer(contract.account, pipeline.partitions[HEARTBEATS])
            await import_heartbeats(
                _numbered(lines), pipeline.producer, framer, lambda done: progress("sent", done, len(lines))
            )
            await pipeline.drained(progress)
            metering_ms = time.monotonic_ns() // 1_000_000 - started_ms
            return await pipeline.ask_store(_outcome, contract, body, reading, len(lines), metering_ms)

        return await pipeline.unless_failed(work())


def live_seats(seats: LiveCounts, contract: Contract, reading: ContractReading) -> LiveSeats | None:
    """The fullest slot of the latest day the seats agent knows of; ``None`` before it has heard anything."""
    account = seats.account(contract.account)
    counts = [one for one in account.counts() if day_of(one[1]) == day_of(account.latest_at)]
    units: Counter[int] = Counter()
    for _, slot_at, count in counts:
        units[slot_at] += count
    if not units:
        return None
    fullest_at = max(units, key=lambda at: (units[at], at))
    in_use = {pool: count for pool, slot_at, count in counts if slot_at == fullest_at}
    pools = tuple(
        (
            product,
            in_use.get((product, contract.country), 0),
            reading.entitled_at(product, contract.country, fullest_at),
        )
        for product in sorted(_pooled(contract))
    )
    return LiveSeats(fullest_at, pools, sum(1 for _ in account.in_grace()))


def _outcome(
    client: Client, contract: Contract, body: bytes, reading: ContractReading, heartbeats: int, metering_ms: int
) -> DemoOutcome:
    now = time.time_ns() // 1_000_000
    store_contract(client, contract, body, applied_at=now)
    until = latest_evidence_at(client, contract.account)
    if until is not None:
        write_completeness(client, contract.account, LOG, until)
    period = Period.parse(demo_plan().period)
    view = AccountView.of(client, reading)
    settle_input(view, now=now, complete_until=until)
    view = view.refreshed()
    statement = current_statement(view, period, now=now)
    most = max(statement.pooled, key=lambda line: (line.overuse, line.peak))
    peak = explain_slot_at(view, most.product, most.country, most.peak_slots[0])
    left_open = demo_story().tokens.idle
    weekend = Asked(left_open.opened_at, left_open.closed_at, product=left_open.product, user=left_open.user)
    (charge,) = token_explanation(view, weekend)[1].charges
    return DemoOutcome(statement, peak, charge, left_open, heartbeats, metering_ms)


def _pooled(contract: Contract) -> set[str]:
    return {product for one in contract.entitlements if one.model == "pooled" for product in one.products}


def _numbered(lines: list[bytes]) -> Iterator[Line]:
    for number, content in enumerate(lines, start=1):
        yield "sample fleet", number, content
