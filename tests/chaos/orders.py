"""Random orders while evidence arrives: seats, voids, disputes and closes; repeated, conflicting, misplaced."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import Final

from pipeline.codec.statement.statement_json import statement_json
from pipeline.codec.topics import command_messages
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.topics import COMMANDS, CONTRACTS
from pipeline.model.orders import Assign, Close, Command, OpenDispute, Order, Unvoid, Void
from pipeline.model.statements import Basis, Statement
from tests.chaos.judge import ACCOUNTS, ASSIGNED_AT, PERIOD, contract_body

Headers = tuple[tuple[str, bytes], ...]
Posted = tuple[str, bytes, bytes, Headers]
"""Topic, key, value and headers."""
_USERS: Final = ("Jana", "petr", "Evá")
_EDITIONS: Final = 3


def posted(chance: Random) -> Iterator[list[Posted]]:
    """An endless stream of groups of messages: an order, some repeated or with a conflict under its id; contracts."""
    number, voids, before = 0, ["v?"], list[Posted]()
    while True:
        number += 1
        account = chance.choice(tuple(ACCOUNTS))
        id_, order = f"o{number}", _order(chance, account, voids)
        if isinstance(order, Void):
            voids.append(id_)
        messages = [_message(account, id_, order)]
        if chance.random() < 0.3:
            messages.append(_message(account, id_, _order(chance, account, voids)))
        if chance.random() < 0.3:
            messages.append(messages[0])
        if before and chance.random() < 0.3:
            messages.append(chance.choice(before))
        before += messages
        if number % 2 == 0:
            messages.append(_contract(chance, account))
        if chance.random() < 0.15:
            messages.append(_rubbish(chance, messages[0]))
        yield messages


def _order(chance: Random, account: str, voids: list[str]) -> Order:
    kind = chance.choice(("assign", "assign", "void", "void", "unvoid", "dispute", "close"))
    match kind:
        case "assign":
            return Assign("MSTN", "CZ", chance.choice(_USERS), ASSIGNED_AT)
        case "void":
            return Void("a test", session=f"s{chance.randrange(8)}", product=chance.choice(("", "MSTN")))
        case "unvoid":
            return Unvoid(chance.choice(voids), "a mistake")
        case "dispute":
            return OpenDispute(PERIOD.name, "MSTN", "CZ", "pooled", "goodwill", None)
    body = contract_body(account)
    hash_ = f"sha256:{sha256(body).hexdigest()}"
    basis = Basis(None, 0, 0, hash_, "chaos", "server")
    nothing = Statement(account, PERIOD, "EUR", (), basis, state="closed")
    forced = chance.random() < 0.6
    return Close(PERIOD.name, hash_, statement_json(nothing).decode(), None, 0, forced)


def _message(account: str, id_: str, order: Order) -> Posted:
    command = Command(id_, account, "eva", PERIOD.end_at + 1, order)
    return COMMANDS, encode_key(account), command_messages.encode(command), ()


def _contract(chance: Random, account: str) -> Posted:
    body = contract_body(account) + f"# edition {chance.randrange(_EDITIONS)}\n".encode()
    key = encode_key(account, f"sha256:{sha256(body).hexdigest()}")
    return CONTRACTS, key, body, (("applied_by", chance.choice((b"eva", b"petr"))),)


def _rubbish(chance: Random, order: Posted) -> Posted:
    """An invalid message: under a wrong key, or neither a command nor a contract."""
    topic, key, value, headers = order
    return chance.choice(
        (
            (topic, encode_key("somebody else"), value, headers),
            (topic, key, value[:-1], headers),
            (CONTRACTS, key, b"account: [", headers),
        )
    )
