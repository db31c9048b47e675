"""What the log of commands comes to, read once more as plainly as possible: nothing here is the pipeline's.

One rule each (RULES 5 and 7): the first of an id is the order; of two seats the first two users who are assigned hold
one; a session that is void counts nowhere until that is undone; the first close that may be carried out stands.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

from pipeline.agents.consuming import Message
from pipeline.kafka.topics import COMMANDS
from pipeline.model.instants import Period

PERIOD: Final = Period.parse("2022Q2")
ASSIGNED_AT: Final = 1_651_579_200_000
"""2022-05-03T12:00:00Z: amid the evidence, when every policy begins a slot."""
SEATS: Final = 2
ACCOUNTS: Final[Mapping[str, str]] = {
    "studio": "bentley-select",
    "Škoda Praha a. s.": "bentley-select-deployed",
    "設計": "bentley-select",
}
"""Every account that evidence and orders speak of, and the policy of its contract."""
_CONTRACT: Final = """
account: {account}
country: CZ
currency: EUR
default_policy: {policy}
products:
  MSTN: {{name: MicroStation, list_price: "6000.00"}}
  ORD: {{name: OpenRoads Designer, list_price: "9600.00"}}
entitlements:
  - {{product: MSTN, model: pooled, policy: {policy}, quantity: 1, from: 2020-01-01}}
  - {{product: MSTN, model: single_user, policy: {policy}, quantity: {seats}, from: 2020-01-01}}
"""

Place = tuple[int, int]
"""Partition and offset."""
Record = dict[str, Any]


def contract_body(account: str) -> bytes:
    """The contract that an account is judged by, as a file."""
    name = json.dumps(account, ensure_ascii=False)
    return _CONTRACT.format(account=name, policy=ACCOUNTS[account], seats=SEATS).encode()


class Known(NamedTuple):
    """Who holds a seat, in order of assignment, and which sessions are void: session and product, ``''`` for any."""

    holders: tuple[str, ...]
    voided: frozenset[tuple[str, str]]

    def is_void(self, session: str, product: str) -> bool:
        return not self.voided.isdisjoint({(session, product), (session, "")})


@dataclass(slots=True)
class Orders:
    """The commands and contracts of a raw log: each at its place, with when the broker received it."""

    placed: dict[Place, tuple[Record, int]] = field(default_factory=dict)
    versions: dict[tuple[str, str], tuple[int, frozenset[str]]] = field(default_factory=dict)
    """When each version of each account's contract was applied last, and by whom: several at one millisecond."""

    def read(self, message: Message) -> bool:
        """Take in a message of the two topics; whether it is one that counts."""
        value = message.value or b""
        if message.topic == COMMANDS:
            try:
                record = json.loads(value)
            except ValueError:
                return False
            if not isinstance(record, dict) or message.key != _key(str(record.get("account"))):
                return False
            self.placed[message.partition, message.offset] = record, message.received_at
            return True
        account = next((one for one in ACCOUNTS if value.startswith(contract_body(one))), None)
        version = f"sha256:{sha256(value).hexdigest()}"
        if account is None or message.key != _key(account, version):
            return False
        by, at = frozenset({dict(message.headers)["applied_by"].decode()}), message.received_at
        last_at, last_by = self.versions.get((account, version), (at, by))
        self.versions[account, version] = max(at, last_at), by if at > last_at else by | last_by
        return True

    def of(self, account: str) -> list[Record]:
        """The orders of an account in the order of the log, the first of each id."""
        firsts: dict[str, Record] = {}
        for _, (record, _) in sorted(self.placed.items()):
            if record["account"] == account:
                firsts.setdefault(record["id"], record)
        return list(firsts.values())


def known(orders: Iterable[Record]) -> Known:
    """What some orders, one after the other, come to."""
    holders: list[str] = []
    voided: dict[str, tuple[str, str]] = {}
    for one in orders:
        if one["kind"] == "assign":
            user = unicodedata.normalize("NFC", one["user"]).casefold()
            if user not in holders and len(holders) < SEATS:
                holders.append(user)
        elif one["kind"] == "void":
            voided[one["id"]] = one["session"], one.get("product", "")
        elif one["kind"] == "unvoid":
            voided.pop(one["void"], None)
    return Known(tuple(holders), frozenset(voided.values()))


def closed_at(orders: list[Record]) -> int | None:
    """The place of the close that stands among the orders; nothing is complete, so only by force is one carried out."""
    return next((at for at, one in enumerate(orders) if one["kind"] == "close" and one["forced"]), None)


def _key(*parts: str) -> bytes:
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
