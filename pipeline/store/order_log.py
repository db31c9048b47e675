"""Commands in the store: every message of the topic at its place, read back in log order.

Two messages under one id are two rows, so that every reader finds the conflict; the same message again is one.
Logs follow one another: a log is ordered by its first message of the account, a message in it by its offset.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

import pyarrow as pa

from pipeline.codec.topics import command_messages as codec
from pipeline.codec.topics.order_fields import order_kind
from pipeline.model.orders import Command, Logged
from pipeline.rules.orders.first_of_id import first_of_each
from pipeline.store.client import Client

_INSTANT: Final = pa.timestamp("ms", tz="UTC")
_COMMANDS: Final = pa.schema(
    {
        "account": pa.string(), "log": pa.string(), "topic": pa.string(), "partition": pa.uint32(),
        "offset": pa.uint64(), "id": pa.string(), "kind": pa.string(), "by": pa.string(), "issued_at": _INSTANT,
        "received_at": _INSTANT, "body": pa.string(),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlacedCommand:
    """A command where it stood in a log."""

    command: Command
    log: str
    topic: str
    partition: int
    offset: int
    received_at: int


def write_commands(client: Client, placed: Iterable[PlacedCommand]) -> None:
    """Keep commands; one that is kept already is replaced by itself."""
    rows = [
        (
            one.command.account, one.log, one.topic, one.partition, one.offset, one.command.id,
            order_kind(one.command.order), one.command.by, one.command.issued_at, one.received_at,
            codec.encode(one.command).decode("utf-8"),
        )
        for one in placed
    ]  # fmt: skip
    if rows:
        columns = [
            pa.array(column, type=kind) for column, kind in zip(zip(*rows, strict=True), _COMMANDS.types, strict=True)
        ]
        client.insert_arrow("commands", pa.table(columns, schema=_COMMANDS))


def read_commands(client: Client, account: str) -> list[Logged]:
    """Every command of an account in log order, repetitions and conflicts included (``rules.log.first_of_each``)."""
    return [Logged(one.command, one.received_at) for one in read_placed(client, account)]


def read_placed(client: Client, account: str) -> list[PlacedCommand]:
    """As ``read_commands``, each where it stood."""
    rows = client.query(
        "SELECT body, log, topic, partition, offset, toUnixTimestamp64Milli(received_at) FROM commands FINAL "
        "WHERE account = {account:String} "
        "ORDER BY min(received_at) OVER (PARTITION BY log), log, partition, offset",
        {"account": account},
    ).result_rows
    return [
        PlacedCommand(codec.decode(body.encode("utf-8")), log, topic, partition, offset, received_at)
        for body, log, topic, partition, offset, received_at in cast(list[tuple[str, str, str, int, int, int]], rows)
    ]


def read_first_commands(client: Client, account: str) -> tuple[Logged, ...]:
    """The commands of an account in log order, no id twice: the first of each."""
    return first_of_each(read_commands(client, account))[0]


def is_stored(client: Client, account: str, topic: str, partition: int, offset: int) -> bool:
    """Whether the store shows the command that stands at a place of some log."""
    rows = client.query(
        "SELECT count() FROM commands WHERE account = {account:String} AND topic = {topic:String} "
        "AND partition = {partition:UInt32} AND offset = {offset:UInt64}",
        {"account": account, "topic": topic, "partition": partition, "offset": offset},
    ).result_rows
    return rows[0][0] != 0
