"""A small fleet's evidence as the sink stores it, and everything that readers of the store return for it.

``python -m tests.support.store.stored_fleet write|read DSN [PART PARTS]`` does it in a process of its own, because the
embedded engine allows one data directory per process. ``read`` prints what ``everything`` returns.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from typing import Final

from pipeline.agents.consuming import Message
from pipeline.agents.meter import MeterStep
from pipeline.agents.sink import Batch, SinkStep
from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.schema_folder import schema_folder
from pipeline.fleet.clients import FleetPlan, FleetProduct, fleet
from pipeline.kafka.topics import HEARTBEATS
from pipeline.model.contracts import Contract
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client, connect
from pipeline.store.contract_versions import store_contract, store_policies
from pipeline.store.migrations import migrate
from pipeline.store.stored_sessions import Selection, read_sessions
from tests.support.agents.step_messages import PARTITIONS

PLAN: Final = FleetPlan(
    products=(FleetProduct("MSTN", 4), FleetProduct("ORD", 2)),
    machines=8,
    frames=50,
    duplicates=0.05,
    disorder=0.05,
    broken=0.01,
    trials=0.05,
)
TABLES: Final = ("usage_days", "session_closes", "dead_letters", "deliveries", "replaced_codes", "policies")
_RECEIVED_AT: Final = PLAN.quarter().end_at
_MESSAGES_PER_BATCH: Final = 20


@cache
def batches() -> tuple[Batch, ...]:
    """The sink's batches for the fleet, checkpoint by checkpoint."""
    stored = []
    lines = list(fleet(PLAN))
    for start in range(0, len(lines), _MESSAGES_PER_BATCH):
        meter, sink = MeterStep("main"), SinkStep("main")
        for offset, line in enumerate(lines[start : start + _MESSAGES_PER_BATCH], start):
            meter.take(Message(HEARTBEATS, 0, offset, None, line, (), _RECEIVED_AT + offset))
        for offset, out in enumerate(meter.drain().outgoing(PARTITIONS)):
            sink.take(Message(out.topic, 0, offset, out.key, out.value, out.headers, _RECEIVED_AT))
        stored.append(sink.drain())
    return tuple(stored)


def prepare(client: Client) -> None:
    """Create the tables; store the policies and the contract of the fleet's account."""
    migrate(client)
    store_policies(client, metering_catalogue())
    contract, body = _contract()
    store_contract(client, contract, body, applied_at=_RECEIVED_AT)


def everything(client: Client) -> str:
    """The statement, the sessions, and the rows of every table, as a text that is equal for equal facts."""
    reading, quarter = ContractReading(_contract()[0], metering_catalogue()), PLAN.quarter()
    statement = computed_statement(AccountView.of(client, reading, "server"), quarter)
    whole = Selection(PLAN.account, quarter.start_at, quarter.end_at)
    lines = [repr(statement), *(repr(session) for session in read_sessions(client, whole))]
    for table in TABLES:
        lines += [f"{table}: {row}" for row in rows(client, table)]
    return "\n".join(lines)


def rows(client: Client, table: str) -> list[str]:
    """Every merged row of a table, in an order that does not depend on the engine's."""
    merged = client.query(f"SELECT * FROM {table} FINAL").result_rows  # noqa: S608 -- one of our own names
    return sorted(repr([_ordered(value) for value in row]) for row in merged)


def _ordered(value: object) -> object:
    if isinstance(value, dict):
        return sorted(value.items())
    return sorted(value) if isinstance(value, list) else value


@cache
def _contract() -> tuple[Contract, bytes]:
    body = (schema_folder() / "contracts" / "studio.yaml").read_bytes()
    return read_contract("studio.yaml", body), body


def write(client: Client, some: Iterable[Batch]) -> None:
    """Store batches one after the other."""
    for batch in some:
        batch.write(client)


def main(arguments: Sequence[str]) -> int:
    what, dsn, *share = arguments
    part, parts = (int(number) for number in share) if share else (0, 1)
    with closing(connect(dsn)) as client:
        if what == "write":
            prepare(client)
            write(client, batches()[part::parts])
        else:
            sys.stdout.write(everything(client))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
