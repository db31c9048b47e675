"""Statements from a large account's quarter, generated straight into the store, with another account's beside it."""

from __future__ import annotations

from typing import cast

from tests.bench.bench import Bench
from tests.bench.jobs import ours


def run(bench: Bench) -> None:
    sizes, results = bench.sizes, bench.results
    folder = bench.folder / "statements"
    folder.mkdir()
    job = ours(
        "statement", folder, store=f"chdb://{folder / 'store'}", machines=sizes.statement_machines,
        days=sizes.statement_days, other=sizes.other_account_days, repetitions=sizes.repetitions,
    )  # fmt: skip
    answer = job.answer()
    for line in job.lines():
        if "statement_s" in line:
            results.figure("statement_s", line["statement_s"])
            results.figure("explain_s", line["explain_s"])
        if "plan" in line:
            results.note("statement_plan", cast(str, line["plan"]))
            results.note("explain_plan", cast(str, line["explain_plan"]))
    results.note("statement_size", f"{answer['session_days']:,.0f} session days, {answer['slots']:,.0f} slots")
    results.figure("clickhouse_bytes_per_machine_day", answer["bytes_per_row"])
    results.figure("clickhouse_gb_million_machines_year", answer["bytes_per_row"] * 1_000_000 * 250 / 1e9)
