"""Contracts in the store: every version by its content hash, and as rows for the analysts' views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

import pyarrow as pa

from pipeline.codec.contract.examination import read_contract
from pipeline.model.contracts import Contract
from pipeline.model.instants import at_midnight, calendar_day, day_of
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.metering_policies import MeteringTimeline
from pipeline.rules.pool.product_spans import product_spans
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.arrow_inserts import INSTANT, insert_rows
from pipeline.store.client import Client

_BEGINNING: Final = date(2000, 1, 1)
_END: Final = date(2101, 1, 1)

_CONTRACTS: Final = pa.schema(
    {
        "account": pa.string(), "content_hash": pa.string(), "applied_at": INSTANT, "country": pa.string(),
        "currency": pa.string(), "body": pa.string(), "applied_by": pa.string(), "offset": pa.uint64(),
    }
)  # fmt: skip
_REPLACED_CODES: Final = pa.schema(
    {
        "account": pa.string(), "content_hash": pa.string(), "code": pa.string(), "from_day": pa.date32(),
        "until_day": pa.date32(), "product": pa.string(),
    }
)  # fmt: skip
_POLICIES: Final = pa.schema(
    {
        "policy": pa.string(), "from_day": pa.date32(), "until_day": pa.date32(), "slot_ms": pa.uint32(),
        "opening_slot_counts": pa.bool_(), "min_use_ms": pa.uint32(), "unit": pa.string(),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """A contract that was applied: when last, by whom (``''`` where nobody is named), and whether it is in force."""

    content_hash: str
    applied_at: int
    applied_by: str
    is_current: bool


def store_contract(
    client: Client,
    contract: Contract,
    body: bytes,
    applied_at: int,
    applied_by: str = "",
    offset: int | None = None,
) -> None:
    """Make this the account's current contract; storing the same one again only renews its time.

    Within one millisecond the larger ``offset`` in the log is the later. Without a log, in a store that one process has
    to itself, the one stored later is.
    """
    # Not as parameters: a server takes no field of more than 128 KiB, and a list of seats is soon longer than that.
    place = _next_within(client, contract.account, applied_at) if offset is None else offset
    version = (
        contract.account, contract.content_hash, applied_at, contract.country, contract.currency,
        body.decode("utf-8"), applied_by, place,
    )  # fmt: skip
    insert_rows(client, "contracts", _CONTRACTS, [version])
    successors = (
        (contract.account, contract.content_hash, code, from_day, until_day, product)
        for code in sorted({old.code for listed in contract.products.values() for old in listed.replaces})
        for from_day, until_day, product in _successors(contract, code)
    )
    insert_rows(client, "replaced_codes", _REPLACED_CODES, successors)


def stored_contract(client: Client, account: str | None = None, content_hash: str | None = None) -> Contract | None:
    """The current contract of an account, of the only account where none is named; ``None`` without one.

    With ``content_hash``, ``sha256:…``, the version of that content. Raises ``ContractInvalid`` where a stored
    contract no longer passes the check.
    """
    rows = client.query(
        "SELECT account, argMax(body, (applied_at, offset, content_hash)) FROM contracts "
        "WHERE ({account:String} = '' OR account = {account:String}) "
        "AND ({hash:String} = '' OR content_hash = {hash:String}) GROUP BY account",
        {"account": account or "", "hash": content_hash or ""},
    ).result_rows
    if len(rows) != 1:
        return None
    name, body = rows[0]
    return read_contract(f"stored contract of {name}", str(body).encode("utf-8"))


def contract_versions(client: Client, account: str) -> list[ContractVersion]:
    """Every version of an account's contract in the order they were applied last; the last one is in force."""
    rows = client.query(
        "SELECT content_hash, toUnixTimestamp64Milli(max(applied_at)) AS at, argMax(applied_by, (applied_at, offset)) "
        "FROM contracts WHERE account = {account:String} "
        "GROUP BY content_hash ORDER BY max((applied_at, offset)), content_hash",
        {"account": account},
    ).result_rows
    last = len(rows) - 1
    return [
        ContractVersion(str(content_hash), cast(int, at), str(by), index == last)
        for index, (content_hash, at, by) in enumerate(rows)
    ]


def contract_accounts(client: Client) -> list[str]:
    """The accounts that have a contract."""
    return [str(row[0]) for row in client.query("SELECT DISTINCT account FROM contracts ORDER BY account").result_rows]


def _next_within(client: Client, account: str, applied_at: int) -> int:
    """The offset after those of all versions of an account that were applied in the same millisecond."""
    rows = client.query(
        "SELECT max(offset) + 1 FROM contracts WHERE account = {account:String} "
        "AND toUnixTimestamp64Milli(applied_at) = {at:Int64}",
        {"account": account, "at": applied_at},
    ).result_rows
    return cast(int, rows[0][0])


def store_policies(client: Client, catalogue: Mapping[str, MeteringTimeline]) -> None:
    """Lay out the built-in policies for the view ``slot_counts``."""
    rows = []
    for name, timeline in catalogue.items():
        starts = [calendar_day(day_of(at)) for at, _ in timeline.rows]
        for start, until, (_, policy) in zip(starts, [*starts[1:], _END], timeline.rows, strict=True):
            rows.append(
                (name, start, until, policy.slot_ms, policy.opening_slot_counts, policy.min_use_ms, policy.unit)
            )
    insert_rows(client, "policies", _POLICIES, rows)


def _successors(contract: Contract, code: str) -> list[tuple[date, date, str]]:
    """The products other than itself that a code counts for, as ``(from, until, product)``; chains followed."""
    reading = ContractReading(contract, metering_catalogue())
    return [
        (calendar_day(from_day), calendar_day(until_day), product)
        for from_day, until_day, product in product_spans(reading, code, _day(_BEGINNING), _day(_END))
        if product != code
    ]


def _day(date_: date) -> int:
    return day_of(at_midnight(date_))
