"""Commands: orders about an account, as messages of the topic ``commands`` (RULES 5, 6 and 7).

Their machine-readable form is ``schemas/events/command.v1.schema.json``. Reading is strict, since a misread order costs
money: an unknown field is a mistake, and every mistake is noted with its remedy.
"""

from __future__ import annotations

from typing import Final

from pipeline.codec.json_fields import JsonFields, MessageInvalid
from pipeline.codec.json_text import json_bytes
from pipeline.codec.topics.order_fields import order_kind, order_record, read_order
from pipeline.model.orders import ORDER_KINDS, Command

VERSION: Final = 1
COMMAND_BYTES_MAX: Final = 3 * 1024 * 1024
"""Of a closed statement, which lists what it holds; all other commands are far smaller."""


class CommandInvalid(MessageInvalid):
    """A message that is no command, with every mistake in it."""


def encode(command: Command) -> bytes:
    """A command as its message, the same bytes for the same command; absent values are left out."""
    record: dict[str, object] = {
        "v": VERSION,
        "id": command.id,
        "account": command.account,
        "kind": order_kind(command.order),
        "by": command.by,
        "issued_at": command.issued_at,
    }
    return json_bytes(record | order_record(command.order))


def decode(value: bytes) -> Command:
    """Read a command's message. Raises ``CommandInvalid`` with every mistake in it."""
    if len(value) > COMMAND_BYTES_MAX:
        raise CommandInvalid.whole(f"has {len(value):,} bytes", f"A command has {COMMAND_BYTES_MAX:,} at most")
    fields = JsonFields.of_message(value, CommandInvalid)
    fields.check_version(VERSION)
    kind = fields.choice("kind", ORDER_KINDS)
    head = fields.text("id"), fields.text("account"), fields.text("by"), fields.instant("issued_at")
    order = read_order(kind, fields) if kind is not None else None
    if order is not None:
        fields.nothing_else()
    if fields.mistakes or order is None:
        raise CommandInvalid(fields.mistakes)
    return Command(*head, order)
