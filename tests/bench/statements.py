"""Statements of a large account's quarter, generated directly in the store beside another account's."""

from __future__ import annotations

from typing import cast

from tests.bench.bench import Bench
from tests.bench.jobs import ours
from tests.bench.storage import WORKING_DAYS


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
    sessions_a_day = answer["session_days"] / (sizes.statement_machines * sizes.statement_days)
    a_day = answer["bytes_per_row"] * sessions_a_day
    results.figure("clickhouse_bytes_per_session_day", answer["bytes_per_row"])
    results.figure("clickhouse_bytes_per_machine_day", a_day)
    results.figure("clickhouse_gb_million_machines_year", a_day * 1_000_000 * WORKING_DAYS / 1e9)
