"""The sink: writes all topics to ClickHouse, usage folded again by key, the rest at its place in the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pipeline.agents.applied_contracts import AppliedContract, read_applied_contract
from pipeline.agents.consuming import Agent, CheckpointMade, Message, Pace
from pipeline.agents.store_calls import CallStore
from pipeline.codec.columns.usage_messages import NO_USAGE, UsageTables, decode_usage, merged
from pipeline.codec.topics import command_messages, dead_letter_messages, denial_messages, ledger_messages
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.message_keys import account_of, encode_key
from pipeline.kafka.headers import APPLIED_BY_HEADER, USAGE_VERSION_HEADER
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
from pipeline.model.errors import ContractInvalid
from pipeline.store import facts
from pipeline.store.client import Client
from pipeline.store.contract_versions import store_contract
from pipeline.store.order_log import PlacedCommand, write_commands
from pipeline.store.postings import PlacedPosting, write_postings

UNREADABLE = "unreadable"
"""The code of a message on an inner topic that no part of Seatbeat wrote."""


@dataclass(slots=True)
class Batch:
    """The rows of one checkpoint. Writing them again changes nothing."""

    usage: UsageTables = NO_USAGE
    letters: list[DeadLetter] = field(default_factory=list)
    denials: list[Denial] = field(default_factory=list)
    commands: list[PlacedCommand] = field(default_factory=list)
    contracts: list[AppliedContract] = field(default_factory=list)
    postings: list[PlacedPosting] = field(default_factory=list)

    def write(self, client: Client) -> None:
        """Insert everything; facts first, so that what is counted as delivered is stored."""
        facts.write_usage(client, self.usage.rows)
        facts.write_dead_letters(client, self.letters)
        facts.write_denials(client, self.denials)
        for applied in self.contracts:
            contract = applied.contract
            store_contract(client, contract, applied.body, applied.applied_at, applied.applied_by, applied.offset)
        write_commands(client, self.commands)
        write_postings(client, self.postings)
        facts.write_deliveries(client, self.usage.deliveries)


class SinkStep:
    """Gathers and folds the messages of the sink's topics. No I/O.

    A message that no part of Seatbeat wrote becomes a dead letter with its own place and the code ``unreadable``: it
    is no evidence, and the insert of something malformed would fail and be retried forever.
    """

    def __init__(self, log_id: str) -> None:
        self._log_id = log_id
        self._usage, self._batch = list[UsageTables](), Batch()

    def take(self, message: Message) -> None:
        """Read a message into the batch. Never raises for bad data."""
        try:
            self._read(message)
        except (ValueError, ContractInvalid) as error:
            self._batch.letters.append(_unreadable(self._log_id, message, str(error)))

    def drain(self) -> Batch:
        """The rows of all messages since the last drain."""
        batch = self._batch
        batch.usage = merged(self._usage)
        self._usage, self._batch = [], Batch()
        return batch

    def _read(self, message: Message) -> None:
        value = message.value or b""
        if message.topic == USAGE:
            self._usage.append(decode_usage(value, message.header(USAGE_VERSION_HEADER)))
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
    by = message.header(APPLIED_BY_HEADER)
    return read_applied_contract(message.key, value, message.received_at, by, message.offset)


def _check_key(message: Message, key: bytes) -> None:
    """Under a wrong key an account's messages would be in several partitions, without an order among them."""
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


SINK_TOPICS: Final = {
    "sink": (USAGE, HEARTBEATS_DLQ, DENIALS, COMMANDS, CONTRACTS, TOKEN_LEDGER),
    "quarantine": (HEARTBEATS_QUARANTINE,),
}
"""The topics of each storing role. A flood of dead letters has a role of its own, so that it delays nothing else."""


def sink_agent(
    settings: Settings,
    call: CallStore,
    role: str = "sink",
    observe: Callable[[CheckpointMade], None] = lambda _: None,
) -> Agent[Batch]:
    """The agent of a storing role: a checkpoint awaits every insert before it acknowledges."""

    async def store(batch: Batch) -> None:
        await call(batch.write)

    return Agent(
        role=role,
        topics=SINK_TOPICS[role],
        step=SinkStep(settings.log_id),
        flush=store,
        pace=Pace(settings.sink_checkpoint_messages, settings.sink_checkpoint_ms),
        observe=observe,
    )
