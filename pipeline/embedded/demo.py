"""``seatbeat demo``: a seeded sample fleet through the whole pipeline, with live seats, then its statement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline import __version__
from pipeline.agents.seats import Seats
from pipeline.agents.topics import HEARTBEATS
from pipeline.codec.contracts import read_contract
from pipeline.codec.schemas import schema_folder
from pipeline.embedded.fleet import demo_plan, fleet
from pipeline.embedded.importer import Framer, Line, import_heartbeats
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.model.contract import Contract
from pipeline.model.instants import Period
from pipeline.model.statement import Statement
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.explain import SlotExplanation
from pipeline.rules.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.contracts import store_contract
from pipeline.store.explain import read_explanation
from pipeline.store.statements import latest_evidence_at, read_statement
from pipeline.store.writes import write_completeness

LOG: Final = "demo"
CONTRACT: Final = "studio.yaml"


@dataclass(frozen=True, slots=True)
class LiveSeats:
    """Seats in use in the latest slot heard of: ``(product, in use, entitled)`` per pool, and sessions in grace."""

    slot_at: int
    pools: tuple[tuple[str, int, int], ...]
    in_grace: int


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """The statement, its most over-used peak taken apart, and how much it took."""

    statement: Statement
    peak: SlotExplanation
    heartbeats: int
    metering_ms: int


Told = Callable[[int, int, LiveSeats | None], None]
"""Hears how many heartbeats are sent, of how many, and the live seats."""


async def play_demo(data_dir: Path, told: Told) -> DemoOutcome:
    """Play the sample fleet. Raises ``PipelineFailed``."""
    body = (schema_folder() / "contracts" / CONTRACT).read_bytes()
    contract = read_contract(CONTRACT, body)
    reading = ContractReading(contract, metering_catalogue())
    seats = Seats(lambda _account: reading)
    lines = list(fleet(demo_plan()))
    async with EmbeddedPipeline(data_dir, LOG, seats) as pipeline:
        started_ms = time.monotonic_ns() // 1_000_000

        def progress(done: int) -> None:
            told(done, len(lines), live_seats(seats, contract, reading))

        async def work() -> DemoOutcome:
            framer = Framer(contract.account, pipeline.partitions[HEARTBEATS])
            await import_heartbeats(_numbered(lines), pipeline.producer, framer, progress)
            await pipeline.drained(lambda _done, _end: progress(len(lines)))
            metering_ms = time.monotonic_ns() // 1_000_000 - started_ms
            return await pipeline.ask_store(_outcome, contract, body, reading, len(lines), metering_ms)

        return await pipeline.unless_failed(work())


def live_seats(seats: Seats, contract: Contract, reading: ContractReading) -> LiveSeats | None:
    """What the seats agent knows now; ``None`` before it has heard anything."""
    account = seats.account(contract.account)
    if not account.latest_at:
        return None
    latest = {pool: (slot_at, units) for pool, slot_at, units in account.counts()}
    slot_at = max((at for at, _ in latest.values()), default=account.latest_at)
    pools = tuple(
        (product, units if at == slot_at else 0, reading.entitled_at(product, country, slot_at))
        for (product, country), (at, units) in sorted(latest.items())
    )
    return LiveSeats(slot_at, pools, sum(1 for _ in account.in_grace()))


def _outcome(
    client: Client, contract: Contract, body: bytes, reading: ContractReading, heartbeats: int, metering_ms: int
) -> DemoOutcome:
    store_contract(client, contract, body, applied_at=time.time_ns() // 1_000_000)
    until = latest_evidence_at(client, contract.account)
    if until is not None:
        write_completeness(client, contract.account, LOG, until)
    period = Period.parse(demo_plan().period)
    statement = read_statement(client, reading, period, seatbeat=__version__, engine="embedded")
    most = max(statement.lines, key=lambda line: (line.overuse, line.peak))
    peak = read_explanation(client, reading, most.product, most.country, most.peak_slots[0])
    return DemoOutcome(statement, peak, heartbeats, metering_ms)


def _numbered(lines: list[bytes]) -> Iterator[Line]:
    for number, content in enumerate(lines, start=1):
        yield "sample fleet", number, content
