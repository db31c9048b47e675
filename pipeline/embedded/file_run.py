"""``seatbeat run``: files through the whole pipeline to their end, then the statement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.statement_life import current_statement
from pipeline.application.tokens.token_settlement import settle_input
from pipeline.codec.flexnet import FlexnetLog, read_flexnet
from pipeline.codec.json_text import json_bytes
from pipeline.codec.topics.denial_messages import Denial
from pipeline.embedded.importer import Framer, Line, import_broken, import_denials, import_heartbeats
from pipeline.embedded.inputs import Format, Input, all_lines, gather_inputs, log_identity
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.model.contracts import Contract
from pipeline.model.instants import Period
from pipeline.model.orders import Logged
from pipeline.model.statements import Statement
from pipeline.model.text import fold
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.account_totals import latest_evidence_at
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.facts import write_completeness
from pipeline.store.letters import Letters, read_letters


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
    """The statement, the account's commands, the dead letters, and how many lines were read."""

    statement: Statement
    commands: tuple[Logged, ...]
    letters: Letters
    lines: int
    unmatched_ins: int


Progress = Callable[[str, int, int | None], None]
"""Gets a stage, how far it is, and its end if that is known."""


def run_files(request: RunRequest, progress: Progress) -> RunOutcome:
    """Run files to their end. Raises ``InputError``, ``BeforeFirstRow``, ``PipelineFailed``.

    Input is gathered before an event loop takes the signals: a run that waits at a pipe can still be interrupted.
    """
    inputs = gather_inputs(request.inputs, request.scratch)
    log_id = log_identity(inputs, request.format, request.account, request.timezone)
    flexnet = _read_flexnet(inputs, request) if request.format == "flexnet" else None
    return asyncio.run(_piped(request, inputs, log_id, flexnet, progress))


async def _piped(
    request: RunRequest, inputs: tuple[Input, ...], log_id: str, flexnet: FlexnetLog | None, progress: Progress
) -> RunOutcome:
    async with EmbeddedPipeline(request.data_dir, log_id) as pipeline:
        return await pipeline.unless_failed(_run(pipeline, request, inputs, log_id, flexnet, progress))


async def _run(
    pipeline: EmbeddedPipeline,
    request: RunRequest,
    inputs: tuple[Input, ...],
    log_id: str,
    flexnet: FlexnetLog | None,
    progress: Progress,
) -> RunOutcome:
    reading = ContractReading(request.contract, metering_catalogue())
    framer = Framer(request.account, pipeline.partitions["heartbeats"])
    lines = _flexnet_lines(flexnet) if flexnet is not None else all_lines(inputs)
    written = await import_heartbeats(lines, pipeline.producer, framer, lambda done: progress("read", done, None))
    if flexnet is not None:
        broken = [((line.source, line.line, line.raw), line.reason) for line in flexnet.broken]
        await import_broken(broken, pipeline.producer, request.account)
        await import_denials(_denials(flexnet, request.account), pipeline.producer)
    await pipeline.drained(progress)

    def ask(client: Client) -> RunOutcome:
        account = request.contract.account
        store_contract(client, request.contract, request.body, applied_at=request.now())
        until = flexnet.last_at if flexnet is not None else latest_evidence_at(client, account)
        if until is not None:
            write_completeness(client, account, log_id, until)
        now = request.now()
        view = AccountView.of(client, reading)
        settle_input(view, now=now, complete_until=until)
        view = view.refreshed()
        return RunOutcome(
            statement=current_statement(view, request.period, now=now),
            commands=view.orders,
            letters=read_letters(client, log_id),
            lines=written + (len(flexnet.broken) if flexnet is not None else 0),
            unmatched_ins=len(flexnet.unmatched_ins) if flexnet is not None else 0,
        )

    return await pipeline.ask_store(ask)


def _read_flexnet(inputs: Iterable[Input], request: RunRequest) -> FlexnetLog:
    sources = ((file.name, (content for _, _, content in file.lines())) for file in inputs)
    return read_flexnet(sources, account=request.account, timezone=request.timezone)


def _flexnet_lines(log: FlexnetLog) -> Iterable[Line]:
    for session in log.sessions:
        yield session.source, session.line, json_bytes(session.heartbeat)


def _denials(log: FlexnetLog, account: str) -> Iterable[Denial]:
    for denied in log.denials:
        yield Denial(
            account, denied.id, denied.kind, denied.at, denied.feature, fold(denied.user), fold(denied.host),
            denied.reason, denied.source, denied.line,
        )  # fmt: skip
