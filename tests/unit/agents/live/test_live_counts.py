"""Live counts: which accounts are counted and kept ready, and under the contract that was applied last."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pyarrow as pa
import pytest
from aiokafka import ConsumerRecord

from pipeline.agents.applied_contracts import AppliedContract, read_applied_contract
from pipeline.agents.live.held_usage import packed
from pipeline.agents.live.live_counts import READY_MS, LiveCounts
from pipeline.codec.columns.seat_rows import seat_rows
from pipeline.codec.columns.usage_rows import rows_of_days
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.topics import CONTRACTS
from pipeline.model.evidence import Heartbeat, SessionDay
from pipeline.model.instants import MINUTE_MS
from pipeline.rules.evidence.merge import fold
from pipeline.rules.live.seats_in_use import AccountSeats
from tests.support.evidence.evidence_shorthand import heartbeat, instant

OPENED_AT = instant("2022-05-04 00:01")
DEFAULT = "account: acme\ncountry: CZ\ncurrency: EUR\n"
SK = "account: acme\ncountry: SK\ncurrency: EUR\n"
REPLACED = f"{DEFAULT}products:\n  ORD: {{replaces: [MSTN]}}\n"


def version(text: str, applied_at: int, offset: int = 0) -> AppliedContract:
    contract = read_contract("contract", text.encode())
    key = encode_key(contract.account, contract.content_hash)
    return read_applied_contract(key, text.encode(), applied_at, None, offset)


def rows_of(*heartbeats: Heartbeat) -> pa.Table:
    return seat_rows(rows_of_days(fold(heartbeats), ()))


def counting(*versions: AppliedContract, account: str = "acme") -> LiveCounts:
    """Counts of half an hour's use, followed by versions of the contract."""
    counts = LiveCounts(lambda: 0)
    counts.assign(frozenset({0}))
    beat = heartbeat(OPENED_AT, OPENED_AT + 30 * MINUTE_MS, account=account)
    counts.hear(0, rows_of(beat))
    assert sum(units for *_, units in counts.account(account).counts()) == 3
    for applied in versions:
        counts.apply(applied)
    return counts


def pools(counts: LiveCounts, account: str = "acme") -> set[tuple[str, str]]:
    return {pool for pool, _, _ in counts.account(account).counts()}


def test_an_account_without_a_contract_is_counted_by_the_default_policy() -> None:
    assert pools(counting()) == {("MSTN", "")}
    assert pools(counting(version(SK, 1), account="other"), "other") == {("MSTN", "")}


@pytest.mark.parametrize(("text", "pool"), [(DEFAULT, ("MSTN", "CZ")), (SK, ("MSTN", "SK")), (REPLACED, ("ORD", "CZ"))])
def test_a_later_contract_applies_to_earlier_use(text: str, pool: tuple[str, str]) -> None:
    counts = counting(version(text, 1))
    assert pools(counts) == {pool}
    assert sum(units for *_, units in counts.account("acme").counts()) == 3


@pytest.mark.parametrize(
    "last", [version(REPLACED, 3), version(REPLACED, 2, offset=7)], ids=["by the clock", "by the offset"]
)
def test_the_version_applied_last_is_in_force_for_any_order_of_arrival(last: AppliedContract) -> None:
    for versions in permutations((version(DEFAULT, 1), version(SK, 2, offset=5), last)):
        assert pools(counting(*versions)) == {("ORD", "CZ")}


def test_a_version_applied_again_is_in_force_again() -> None:
    assert pools(counting(version(DEFAULT, 1), version(SK, 2), version(DEFAULT, 3))) == {("MSTN", "CZ")}


def test_an_invalid_record_changes_nothing() -> None:
    counts = counting(version(SK, 1))
    body = REPLACED.encode()
    key = encode_key("acme", read_contract("contract", body).content_hash)
    for wrong_key, value in ((key, b"account: ["), (key, None), (encode_key("other", "sha256:0"), body), (None, body)):
        counts.hear_contract(record(wrong_key, value))
    assert pools(counts) == {("MSTN", "SK")}
    counts.hear_contract(record(key, body))
    assert pools(counts) == {("ORD", "CZ")}


def record(key: bytes | None, value: bytes | None) -> ConsumerRecord:
    return ConsumerRecord(CONTRACTS, 0, 9, 9, 0, key, value, None, -1, -1, ())


def test_an_account_stays_ready_until_nobody_has_asked_for_some_minutes() -> None:
    now = 0
    counts = LiveCounts(lambda: now)
    counts.assign(frozenset({0}))
    seats = counts.account("acme")
    for _ in range(2):
        now += READY_MS - 1
        asyncio.run(counts.fold())
        assert counts.account("acme") is seats
    now += READY_MS
    asyncio.run(counts.fold())
    assert counts.account("acme") is not seats


def test_accounts_that_nobody_asks_for_are_not_made_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SessionDay] = []
    monkeypatch.setattr(AccountSeats, "merge", lambda _, day: made.append(day))
    counts = LiveCounts(lambda: 0)
    counts.assign(frozenset({0}))
    counts.account("acme")
    for account in ("acme", "studio"):
        counts.hear(0, rows_of(heartbeat(OPENED_AT, OPENED_AT, account=account)))
        counts.hold(0, packed(rows_of(heartbeat(OPENED_AT, OPENED_AT, account=account))))
    assert [day.session.account for day in made] == ["acme", "acme"]
    counts.account("studio")
    assert len(made) == 4


def test_only_accounts_of_assigned_partitions_are_counted() -> None:
    counts = LiveCounts(lambda: 0)
    counts.assign(frozenset({0, 1}))
    beats = {partition: heartbeat(OPENED_AT, OPENED_AT, account=f"of {partition}") for partition in (0, 1, 2)}
    for partition, beat in beats.items():
        counts.hear(partition, rows_of(beat))
    assert counts.accounts() == {"of 0", "of 1"}
    assert counts.account("of 0").latest_at == OPENED_AT
    counts.assign(frozenset({1, 2}))
    for partition, beat in beats.items():
        counts.hold(partition, packed(rows_of(beat)))
    assert counts.accounts() == {"of 1", "of 2"}
    assert [counts.account(f"of {partition}").latest_at for partition in (0, 1, 2)] == [0, OPENED_AT, OPENED_AT]
