"""The sink: what all topics say into ClickHouse, usage folded again by key, the rest at its place in the log."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final

import faust
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from pipeline.agents.faust.app import build_app, raw_topics
from pipeline.agents.faust.checkpoint import Checkpoints, Fail, Made, Message, Pace, Stream
from pipeline.agents.faust.continuity import Continuity
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.topics import command_messages, dead_letter_messages, denial_messages, ledger_messages
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.message_keys import account_of, encode_key
from pipeline.codec.topics.usage_frames import Delivery, decode_frame
from pipeline.kafka.headers import APPLIED_BY_HEADER
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import (
    COMMANDS,
    CONTRACTS,
    DENIALS,
    HEARTBEATS_DLQ,
    HEARTBEATS_QUARANTINE,
    TOKEN_LEDGER,
    USAGE,
)
from pipeline.model.contracts import Contract
from pipeline.model.errors import ContractInvalid
from pipeline.model.evidence import SessionClose, SessionDay
from pipeline.rules.evidence.merge import UsageFold
from pipeline.store import facts
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.order_log import PlacedCommand, write_commands
from pipeline.store.postings import PlacedPosting, write_postings

RETRY_FIRST_S = 0.2
UNREADABLE = "unreadable"
"""The code of a message within the pipeline that no part of Seatbeat wrote."""


@dataclass(frozen=True, slots=True)
class AppliedContract:
    """A contract as it was applied, with the file's bytes and its place in the log, which has one partition."""

    contract: Contract
    body: bytes
    applied_at: int
    applied_by: str
    offset: int


@dataclass(slots=True)
class Batch:
    """What one checkpoint stores; storing it again changes nothing."""

    days: list[SessionDay] = field(default_factory=list)
    closes: list[SessionClose] = field(default_factory=list)
    deliveries: defaultdict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    letters: list[DeadLetter] = field(default_factory=list)
    denials: list[Denial] = field(default_factory=list)
    commands: list[PlacedCommand] = field(default_factory=list)
    contracts: list[AppliedContract] = field(default_factory=list)
    postings: list[PlacedPosting] = field(default_factory=list)

    def write(self, client: Client) -> None:
        """Insert everything; facts first, so that what is counted as delivered is stored."""
        facts.write_session_days(client, self.days)
        facts.write_closes(client, self.closes)
        facts.write_dead_letters(client, self.letters)
        facts.write_denials(client, self.denials)
        for one in self.contracts:
            store_contract(client, one.contract, one.body, one.applied_at, one.applied_by, one.offset)
        write_commands(client, self.commands)
        write_postings(client, self.postings)
        facts.write_deliveries(client, self.deliveries)


class SinkStep:
    """Gathers and folds what the topics of the sink say. No I/O.

    A message that no part of Seatbeat wrote is kept as a dead letter of its own place, ``unreadable``: it proves
    nothing, and must not stop a partition.
    """

    def __init__(self, log_id: str) -> None:
        self._log_id = log_id
        self._usage, self._batch = UsageFold(), Batch()

    def take(self, message: Message) -> None:
        try:
            self._read(message)
        except (ValueError, ContractInvalid) as error:
            self._batch.letters.append(_unreadable(self._log_id, message, str(error)))

    def drain(self) -> Batch:
        batch = self._batch
        batch.days, batch.closes = list(self._usage.session_days()), list(self._usage.closes())
        self._usage, self._batch = UsageFold(), Batch()
        return batch

    def _read(self, message: Message) -> None:
        value = message.value or b""
        if message.topic == USAGE:
            frame = decode_frame(value)
            for day in frame.days:
                self._usage.merge(day)
            for close in frame.closes:
                self._usage.merge_close(close)
            self._batch.deliveries[frame.account] += frame.deliveries
        elif message.topic in {HEARTBEATS_DLQ, HEARTBEATS_QUARANTINE}:
            self._batch.letters.append(dead_letter_messages.decode(value))
        elif message.topic == COMMANDS:
            self._batch.commands.append(_command(self._log_id, message, value))
        elif message.topic == CONTRACTS:
            self._batch.contracts.append(_contract(message, value))
        elif message.topic == TOKEN_LEDGER:
            self._batch.postings.append(_posting(self._log_id, message, value))
        else:
            self._batch.denials.append(denial_messages.decode(value))


def _command(log_id: str, message: Message, value: bytes) -> PlacedCommand:
    command = command_messages.decode(value)
    _check_key(message, encode_key(command.account))
    return PlacedCommand(command, log_id, message.topic, message.partition, message.offset, message.received_at)


def _posting(log_id: str, message: Message, value: bytes) -> PlacedPosting:
    posting = ledger_messages.decode(value)
    _check_key(message, encode_key(posting.account))
    return PlacedPosting(log_id, message.partition, message.offset, posting)


def _contract(message: Message, value: bytes) -> AppliedContract:
    contract = read_contract("contract", value)
    _check_key(message, encode_key(contract.account, contract.content_hash))
    by = (message.header(APPLIED_BY_HEADER) or b"").decode("utf-8", "replace")
    return AppliedContract(contract, value, message.received_at, by, message.offset)


def _check_key(message: Message, key: bytes) -> None:
    """A wrong key would put an account's messages into several partitions, whose order nobody knows."""
    if message.key != key:
        raise ValueError(f"the key is not that of the account in a message of {message.topic}")


def _unreadable(log_id: str, message: Message, detail: str) -> DeadLetter:
    return DeadLetter(
        log=log_id,
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        index=0,
        account=account_of(message.key),
        code=UNREADABLE,
        field="",
        detail=detail,
        member=None,
        raw=message.value or b"",
        received_at=message.received_at,
        source="",
        line=0,
    )


class StoreWriter:
    """Writes batches on the store's own thread, again and again with growing pauses while the store fails."""

    def __init__(
        self, client: Client, executor: Executor, retry_max_s: float, on_retry: Callable[[Exception], None]
    ) -> None:
        self._client, self._executor, self._retry_max_s, self._on_retry = client, executor, retry_max_s, on_retry

    async def write(self, batch: Batch) -> None:
        """Return once the store has the batch. Errors of the store are retried with the same rows, others raised."""
        pause_s = RETRY_FIRST_S
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._executor, batch.write, self._client)
            except (OperationalError, DatabaseError) as error:
                self._on_retry(error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._retry_max_s)


SINK_TOPICS: Final = {
    "sink": (USAGE, HEARTBEATS_DLQ, DENIALS, COMMANDS, CONTRACTS, TOKEN_LEDGER),
    "quarantine": (HEARTBEATS_QUARANTINE,),
}
"""What each storing role reads. A flood of dead letters waits in a role of its own."""


def build_sink(
    settings: Settings,
    writer: StoreWriter,
    fail: Fail,
    observe: Callable[[Made], None] = lambda _: None,
    role: str = "sink",
) -> faust.App:
    """The app of a storing role: a checkpoint awaits every insert before it acknowledges."""
    app = build_app(settings, role, fail)
    pace = Pace(settings.sink_checkpoint_messages, settings.sink_checkpoint_ms)
    checkpoints = Checkpoints(
        SinkStep(settings.log_id), writer.write, pace, fail, observe, Continuity(settings.kafka_bootstrap, app.conf.id)
    )

    @app.agent(raw_topics(app, *SINK_TOPICS[role]), concurrency=1, name=role)
    async def sink(stream: Stream) -> None:
        await checkpoints.run(stream)

    return app
