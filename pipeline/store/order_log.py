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
from pipeline.store.arrow_inserts import INSTANT, insert_rows
from pipeline.store.client import Client

_COMMANDS: Final = pa.schema(
    {
        "account": pa.string(), "log": pa.string(), "topic": pa.string(), "partition": pa.uint32(),
        "offset": pa.uint64(), "id": pa.string(), "kind": pa.string(), "by": pa.string(), "issued_at": INSTANT,
        "received_at": INSTANT, "body": pa.string(),
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
    insert_rows(client, "commands", _COMMANDS, map(_row, placed))


def read_commands(client: Client, account: str) -> list[Logged]:
    """Every command of an account in log order, repetitions and conflicts included (``rules/orders/first_of_id``)."""
    return [Logged(placed.command, placed.received_at) for placed in read_placed(client, account)]


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


def is_stored(client: Client, account: str, topic: str, partition: int, offset: int) -> bool:
    """Whether the store shows a command at a place of some log."""
    rows = client.query(
        "SELECT count() FROM commands WHERE account = {account:String} AND topic = {topic:String} "
        "AND partition = {partition:UInt32} AND offset = {offset:UInt64}",
        {"account": account, "topic": topic, "partition": partition, "offset": offset},
    ).result_rows
    return rows[0][0] != 0


def accounts_that_ordered_tokens(client: Client) -> set[str]:
    """The accounts whose log holds a purchase or a credit of tokens."""
    rows = client.query("SELECT DISTINCT account FROM commands WHERE kind IN ('buy-tokens', 'credit-tokens')")
    return {str(account) for (account,) in rows.result_rows}


def _row(placed: PlacedCommand) -> tuple[object, ...]:
    command = placed.command
    return (
        command.account, placed.log, placed.topic, placed.partition, placed.offset, command.id,
        order_kind(command.order), command.by, command.issued_at, placed.received_at,
        codec.encode(command).decode("utf-8"),
    )  # fmt: skip
