"""``seatbeat run``: files through the whole pipeline to their end, then the statement."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pipeline.agents.consuming import Fail
from pipeline.application.account_view import AccountView
from pipeline.application.quarter.statement_life import check_closed_quarters, current_statement
from pipeline.application.tokens.token_settlement import settle_input
from pipeline.codec.flexnet.flexnet_log import LogSummary
from pipeline.embedded.framing import Framer
from pipeline.embedded.importer import import_heartbeats
from pipeline.embedded.inputs import Format, Input, all_blocks, gather_inputs, hints_at, input_bytes, log_identity
from pipeline.embedded.log_import import LogImport
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.embedded.run_memory import memory_given_back, run_memory
from pipeline.model.contracts import Contract
from pipeline.model.instants import Period
from pipeline.model.orders import Logged
from pipeline.model.statements import Statement
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.account_totals import latest_evidence_at
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.facts import write_completeness
from pipeline.store.letters import Letters, read_letters
from pipeline.store.log_pieces import read_log_pieces, write_log_pieces

SECOND_METER_BYTES: Final = 64 * 1024 * 1024
"""Of input, as it is: with less a second meter would hardly have started before the first was done."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run: the contract with its bytes, the files, and the folder of the store. ``now`` is the wall clock."""

    contract: Contract
    body: bytes
    inputs: tuple[str, ...]
    format: Format
    account: str
    timezone: str
    period: Period
    data_dir: Path
    scratch: Path
    now: Callable[[], int]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The statement, the account's commands, the dead letters, and how many lines were read.

    ``hints``: why no line of a file may have held a heartbeat.
    """

    statement: Statement
    commands: tuple[Logged, ...]
    letters: Letters
    lines: int
    log_summary: LogSummary | None
    hints: tuple[str, ...]


Progress = Callable[[str, int, int | None], None]
"""Gets a stage, how far it is, and its end if that is known."""


def run_files(request: RunRequest, progress: Progress, on_failure: Fail) -> RunOutcome:
    """Run files to their end. A contract under which closed quarters cannot be read is refused before anything is sent.

    Raises ``InputError``, ``BeforeFirstRow``, ``PipelineFailed``.

    Input is gathered before an event loop takes the signals: a run that waits at a pipe can still be interrupted.
    """
    inputs = gather_inputs(request.inputs, request.scratch)
    log_id = log_identity(inputs, request.format, request.account, request.timezone)
    logs = LogImport(inputs, request.account, request.timezone) if request.format == "flexnet" else None
    with run_memory():
        return asyncio.run(_piped(request, inputs, log_id, logs, progress, on_failure))


async def _piped(
    request: RunRequest,
    inputs: tuple[Input, ...],
    log_id: str,
    logs: LogImport | None,
    progress: Progress,
    on_failure: Fail,
) -> RunOutcome:
    meters = meters_for(inputs)
    piped = EmbeddedPipeline(request.data_dir, log_id, on_failure=on_failure, meters=meters)
    async with memory_given_back(), piped as pipeline:
        return await pipeline.unless_failed(_run(pipeline, request, inputs, log_id, logs, progress))


def meters_for(inputs: tuple[Input, ...]) -> Literal[1, 2]:
    """How many meters a run has: a second where another core is free, and there is enough to meter to pay its start."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return 2 if cores > 1 and input_bytes(inputs) >= SECOND_METER_BYTES else 1


async def _run(
    pipeline: EmbeddedPipeline,
    request: RunRequest,
    inputs: tuple[Input, ...],
    log_id: str,
    logs: LogImport | None,
    progress: Progress,
) -> RunOutcome:
    reading = ContractReading(request.contract, metering_catalogue())
    await pipeline.ask_store(lambda client: check_closed_quarters(AccountView.of(client, reading)))
    framer = Framer(request.account, pipeline.partitions["heartbeats"])

    def read(done: int) -> None:
        progress("read", done, None)

    if logs is None:
        written = await import_heartbeats(framer.of_blocks(all_blocks(inputs)), framer, pipeline.producer, read)
    else:
        written = await logs.send(pipeline.producer, framer, read)
        earlier = await pipeline.ask_store(lambda client: tuple(read_log_pieces(client, request.account)))
        await logs.send_carried(pipeline.producer, framer, earlier)
    await pipeline.drained(progress)

    def ask(client: Client) -> RunOutcome:
        account = request.contract.account
        store_contract(client, request.contract, request.body, applied_at=request.now())
        summary = logs.summary() if logs is not None else None
        if summary is not None:
            write_log_pieces(client, request.account, log_id, summary.pieces)
        until = summary.last_at if summary is not None else latest_evidence_at(client, account)
        if until is not None:
            write_completeness(client, account, log_id, until)
        now = request.now()
        view = AccountView.of(client, reading)
        settle_input(view, now=now, complete_until=until)
        view = view.refreshed()
        letters = read_letters(client, log_id)
        return RunOutcome(
            statement=current_statement(view, request.period, now=now),
            commands=view.orders,
            letters=letters,
            lines=written,
            log_summary=summary,
            hints=hints_at(inputs) if letters.count and logs is None else (),
        )

    return await pipeline.ask_store(ask)
