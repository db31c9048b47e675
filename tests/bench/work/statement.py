"""A statement over a quarter of a large account, and one slot explained, with another account's usage beside it.

Tells what the store read for each query: rows of ``usage_days``, and which part of its granules the plan leaves.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Mapping
from typing import Final

import orjson
import pyarrow as pa

from pipeline.application.account_view import AccountView
from pipeline.application.explain.explained_slot import explain_slot_at
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.model.contracts import Contract, Entitlement, Product
from pipeline.model.instants import HOUR_MS, Period, day_of
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client, Parameter, QueryResult, connect
from pipeline.store.migrations import migrate
from tests.bench.work.facts import insert_quarter
from tests.bench.work.say import say

ACCOUNT: Final = "account-large"
PERIOD: Final = Period.parse("2022Q2")
_GRANULES: Final = re.compile(r"Granules: (\d+)/(\d+)")


class Listening:
    """A client that remembers what it was asked."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.asked: list[tuple[str, Mapping[str, Parameter] | None]] = []

    def command(self, cmd: str, parameters: Mapping[str, Parameter] | None = None) -> object:
        return self._client.command(cmd, parameters)

    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult:
        self.asked.append((query, parameters))
        return self._client.query(query, parameters)

    def query_arrow(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> pa.Table:
        self.asked.append((query, parameters))
        return self._client.query_arrow(query, parameters)

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object:
        return self._client.insert_arrow(table, arrow_table)

    def close(self) -> None:
        self._client.close()

    def plan(self) -> str:
        """How each query finds its rows in ``usage_days``: the primary key's condition and the granules left."""
        parts = []
        for query, parameters in self.asked:
            if "usage_days" in query:
                rows = self._client.query(f"EXPLAIN indexes = 1 {query}", parameters).result_rows
                parts += [
                    str(row[0]).strip()
                    for row in rows
                    if re.search(r"Parts:|Granules:|Condition:|ReadFrom", str(row[0]))
                ]
        return "; ".join(parts)


def reading(products: int) -> ContractReading:
    """A contract with a pool for each product, too small for its peak, and a price."""
    codes = [f"P{number:02}" for number in range(products)]
    contract = Contract(
        ACCOUNT, "CZ", "EUR", "sha256:bench",
        products={code: Product(code, unit_price=96_000) for code in codes},
        entitlements=tuple(
            Entitlement((code,), "CZ", "pooled", "bentley-select", 100, PERIOD.start_at, None) for code in codes
        ),
    )  # fmt: skip
    return ContractReading(contract, metering_catalogue())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.work.statement", description=__doc__)
    parser.add_argument("--store", required=True)
    parser.add_argument("--machines", type=int, required=True)
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--other", type=int, required=True)
    parser.add_argument("--repetitions", type=int, default=5)
    args = parser.parse_args()
    client = connect(args.store)
    migrate(client)
    first_day = day_of(PERIOD.start_at)
    insert_quarter(client, ACCOUNT, first_day, args.days, args.machines)
    insert_quarter(client, "account-other", first_day, args.days, max(10, int(args.other / args.days / 2.2) // 10 * 10))
    client.command("OPTIMIZE TABLE usage_days FINAL")
    asked = Listening(client)
    judged_by = reading(20)
    statement_s, explain_s = [], []
    for _ in range(args.repetitions):
        started_s = time.perf_counter()
        statement = computed_statement(AccountView.of(asked, judged_by), PERIOD)
        statement_s.append(time.perf_counter() - started_s)
    plan, asked.asked = asked.plan(), []
    line = statement.lines[0]
    for number in range(args.repetitions):
        started_s = time.perf_counter()
        slot_at = PERIOD.start_at + (24 * (40 + number) + 10) * HOUR_MS
        explained = explain_slot_at(AccountView.of(asked, judged_by), line.product, "CZ", slot_at)
        explain_s.append(time.perf_counter() - started_s)
        assert explained.count > 0
    explain_plan = asked.plan()
    days, slots = client.query(
        "SELECT count(), sum(length(used_slots)) FROM usage_days WHERE account = {account:String}", {"account": ACCOUNT}
    ).result_rows[0]
    size = client.query(
        "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = 'usage_days'"
    ).result_rows[0][0]
    client.close()
    print(orjson.dumps({"plan": plan, "explain_plan": explain_plan}).decode())
    for statement_time, explain_time in zip(statement_s, explain_s, strict=True):
        say(statement_s=statement_time, explain_s=explain_time)
    say(
        session_days=float(str(days)), slots=float(str(slots)), bytes_per_row=float(str(size)),
        lines=len(statement.lines), peaks=sum(getattr(line, "peak", 0) for line in statement.lines),
    )  # fmt: skip


if __name__ == "__main__":
    main()
