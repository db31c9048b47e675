"""``seatbeat demo``: a seeded sample fleet through the whole pipeline, with live seats, then its statement."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.agents.consuming import Fail
from pipeline.agents.live.live_counts import LiveCounts
from pipeline.application.account_view import AccountView
from pipeline.application.explain.explained_slot import explain_slot_at
from pipeline.application.quarter.statement_life import current_statement
from pipeline.application.tokens.token_account import token_explanation
from pipeline.application.tokens.token_settlement import settle_input
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.schema_folder import schema_folder
from pipeline.embedded.framing import Framer, Line
from pipeline.embedded.importer import import_heartbeats
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.fleet.clients import PlannedSession, demo_plan, demo_story, fleet
from pipeline.kafka.posting import contract_message
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
    """The statement, explanations of its most over-used peak and of a charge in tokens, and the effort.

    ``charge`` is the cost of the session ``left_open`` over a weekend.
    """

    statement: Statement
    peak: SlotExplanation
    charge: Charge
    left_open: PlannedSession
    heartbeats: int
    metering_ms: int


DemoProgress = Callable[[str, int, int, LiveSeats | None], None]
"""Gets a stage (``sent`` or a consumer group), how far it is, its end, and the live seats."""


async def play_demo(data_dir: Path, report: DemoProgress, now: Callable[[], int], on_failure: Fail) -> DemoOutcome:
    """Play the sample fleet. ``now`` is the wall clock. Raises ``PipelineFailed``."""
    body = (schema_folder() / "contracts" / CONTRACT).read_bytes()
    contract = read_contract(CONTRACT, body)
    reading = ContractReading(contract, metering_catalogue())
    counts, clock = LiveCounts(now), asyncio.get_running_loop().time
    lines = list(fleet(demo_plan()))
    async with EmbeddedPipeline(data_dir, LOG, counts, on_failure=on_failure) as pipeline:
        started_s = clock()

        def progress(stage: str, done: int, end: int) -> None:
            report(stage, done, end, live_seats(counts, contract, reading))

        async def work() -> DemoOutcome:
            await pipeline.producer.write([contract_message(contract, body, applied_by="")])
            framer = Framer(contract.account, pipeline.partitions[HEARTBEATS])
            messages = framer.of_lines(_numbered(lines))
            await import_heartbeats(
                messages, framer, pipeline.producer, lambda done: progress("sent", done, len(lines))
            )
            await pipeline.drained(progress)
            metering_ms = round((clock() - started_s) * 1000)
            return await pipeline.ask_store(_outcome, reading, len(lines), metering_ms, now())

        return await pipeline.unless_failed(work())


def live_seats(counts: LiveCounts, contract: Contract, reading: ContractReading) -> LiveSeats | None:
    """The fullest slot of the latest day that the seats agent has evidence of; ``None`` before it has any."""
    account = counts.account(contract.account)
    today = [counted for counted in account.counts() if day_of(counted[1]) == day_of(account.latest_at)]
    units: Counter[int] = Counter()
    for _, slot_at, count in today:
        units[slot_at] += count
    if not units:
        return None
    fullest_at = max(units, key=lambda at: (units[at], at))
    in_use = {pool: count for pool, slot_at, count in today if slot_at == fullest_at}
    pools = tuple(
        (
            product,
            in_use.get((product, contract.country), 0),
            reading.entitled_at(product, contract.country, fullest_at),
        )
        for product in sorted(_pooled(contract))
    )
    return LiveSeats(fullest_at, pools, sum(1 for _ in account.in_grace()))


def _outcome(client: Client, reading: ContractReading, heartbeats: int, metering_ms: int, now: int) -> DemoOutcome:
    account = reading.contract.account
    until = latest_evidence_at(client, account)
    if until is not None:
        write_completeness(client, account, LOG, until)
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
    return {product for given in contract.entitlements if given.model == "pooled" for product in given.products}


def _numbered(lines: list[bytes]) -> Iterator[Line]:
    for number, content in enumerate(lines, start=1):
        yield "sample fleet", number, content
