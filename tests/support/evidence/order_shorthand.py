"""Commands in short notation, their log, and an order of every kind."""

from __future__ import annotations

from typing import Final

from pipeline.agents.consuming import Message
from pipeline.kafka.posting import command_message
from pipeline.model.contracts import TokenPack
from pipeline.model.orders import (
    Assign,
    BuyTokens,
    CheckIn,
    CheckOut,
    Close,
    Command,
    CreditTokens,
    Logged,
    MoveDispute,
    OpenDispute,
    Order,
    Release,
    Tick,
    Unvoid,
    Void,
)
from tests.support.evidence.evidence_shorthand import instant

AT: Final = instant("2022-05-03 09:01")
LATER: Final = instant("2022-05-04 16:00")
ORDERS: Final[tuple[Order, ...]] = (
    Assign("STAAD", "CZ", "jana", AT),
    Assign("STAAD", "CZ", "petr", AT, "jana", "practitioner"),
    Release("STAAD", "CZ", "jana", AT, "single_user"),
    CheckOut("MSTN", "CZ", "petr", "ws-9", AT, LATER),
    CheckIn("c1", AT),
    Close("2022Q2", f"sha256:{'0' * 64}", '{"v": 1}', AT, 2, forced=True),
    Close("2022Q2", f"sha256:{'0' * 64}", "{}", None, 0, forced=False),
    Void("clock was wrong", session="s1", product="MSTN"),
    Void("training", machine="ws-9", user="eva", from_at=AT, until_at=LATER),
    Unvoid("v1", "the clock was right"),
    OpenDispute("2022Q2", "MSTN", "CZ", "pooled", "over_pool", 96_000, "one launch\ntoo many"),
    OpenDispute("2022Q2", "MSTN", "CZ", "pooled", "unlicensed", None),
    MoveDispute("d1", "granted", "CS-1", "", 96_000),
    BuyTokens((TokenPack("P1", "PO-77", "default", 500, AT, 0), TokenPack("P2", "", "other", 1, AT, None))),
    CreditTokens("default", 7, "reversal", "e1"),
    Tick(AT),
)
"""Orders of every kind, with and without their optional fields."""


def command(order: Order, id_: str = "c1", account: str = "acme", by: str = "admin", issued_at: int = AT) -> Command:
    return Command(id_, account, by, issued_at, order)


def logged(*commands: Command) -> list[Logged]:
    """A log of commands, received a second apart."""
    return [Logged(command, AT + 1_000 * number) for number, command in enumerate(commands)]


def command_at(offset: int, ordered: Command, partition: int = 0) -> Message:
    """A command as the broker delivers it; a later offset was received later."""
    sent = command_message(ordered)
    return Message(sent.topic, partition, offset, sent.key, sent.value, sent.headers, AT + offset)
