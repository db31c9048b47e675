"""A second, plain model of what the log of commands means; it shares no code with the pipeline.

Rules (RULES 5 and 7): the first command with an id is the order; the first two assigned users hold the two seats; a
voided session counts nowhere until it is unvoided; the first close that can be carried out stands.
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
"""The accounts of evidence and orders, and the policy of their contracts."""
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
    """The bytes of an account's contract."""
    name = json.dumps(account, ensure_ascii=False)
    return _CONTRACT.format(account=name, policy=ACCOUNTS[account], seats=SEATS).encode()


class OrderEffects(NamedTuple):
    """Who holds a seat, in order of assignment, and which sessions are void: session and product, ``''`` for any."""

    holders: tuple[str, ...]
    voided: frozenset[tuple[str, str]]

    def is_void(self, session: str, product: str) -> bool:
        return not self.voided.isdisjoint({(session, product), (session, "")})


@dataclass(slots=True)
class Orders:
    """The commands and contracts of a raw log: each at its place, with its append time."""

    placed: dict[Place, tuple[Record, int]] = field(default_factory=dict)
    versions: dict[tuple[str, str], tuple[int, frozenset[str]]] = field(default_factory=dict)
    """The last application of each version of an account's contract, with its authors in that millisecond."""

    def read(self, message: Message) -> bool:
        """Read a message of the two topics; whether it is valid."""
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
        account = next((account for account in ACCOUNTS if value.startswith(contract_body(account))), None)
        version = f"sha256:{sha256(value).hexdigest()}"
        if account is None or message.key != _key(account, version):
            return False
        by, at = frozenset({dict(message.headers)["applied_by"].decode()}), message.received_at
        last_at, last_by = self.versions.get((account, version), (at, by))
        self.versions[account, version] = max(at, last_at), by if at > last_at else by | last_by
        return True

    def of(self, account: str) -> list[Record]:
        """The orders of an account in log order, only the first with each id."""
        firsts: dict[str, Record] = {}
        for _, (record, _) in sorted(self.placed.items()):
            if record["account"] == account:
                firsts.setdefault(record["id"], record)
        return list(firsts.values())


def effects_of(orders: Iterable[Record]) -> OrderEffects:
    """The effects of orders in their sequence."""
    holders: list[str] = []
    voided: dict[str, tuple[str, str]] = {}
    for order in orders:
        if order["kind"] == "assign":
            user = unicodedata.normalize("NFC", order["user"]).casefold()
            if user not in holders and len(holders) < SEATS:
                holders.append(user)
        elif order["kind"] == "void":
            voided[order["id"]] = order["session"], order.get("product", "")
        elif order["kind"] == "unvoid":
            voided.pop(order["void"], None)
    return OrderEffects(tuple(holders), frozenset(voided.values()))


def closed_at(orders: list[Record]) -> int | None:
    """The index of the close that stands; evidence is never complete, so only a forced close can stand."""
    return next((at for at, order in enumerate(orders) if order["kind"] == "close" and order["forced"]), None)


def _key(*parts: str) -> bytes:
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
