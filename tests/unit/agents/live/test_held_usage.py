"""Held usage: rows of any number stay few pieces, and each session and day becomes one row again."""

from __future__ import annotations

import asyncio

import pyarrow as pa
import pytest

from pipeline.agents.live import held_usage
from pipeline.agents.live.held_usage import HEARD_TABLES, HeldUsage, packed
from pipeline.codec.columns.seat_rows import SEAT_ROWS, seat_rows
from pipeline.codec.columns.usage_rows import rows_of_days
from pipeline.model.instants import DAY_MS, MINUTE_MS
from pipeline.rules.evidence.merge import fold
from tests.support.evidence.evidence_shorthand import heartbeat, instant

DAYS = 2
OPENED_AT = instant("2022-05-04 08:00")


def heard_at(minute: int, sessions: int = 40, account: str = "acme", day: int = 0) -> pa.Table:
    at = OPENED_AT + day * DAY_MS + minute * MINUTE_MS
    beats = [heartbeat(at - MINUTE_MS, at, session=f"s{number}", account=account) for number in range(sessions)]
    return seat_rows(rows_of_days(fold(beats), ()))


def hear(held: HeldUsage, *tables: pa.Table) -> None:
    for table in tables:
        held.hear(table)
        asyncio.run(held.fold_if_due(DAYS))


def rows_held(held: HeldUsage) -> int:
    return len(held.of_account("acme"))


@pytest.mark.parametrize("at_once_max", [10, 10_000], ids=["in a thread", "at once"])
def test_sessions_heard_of_every_minute_stay_few_rows(at_once_max: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_usage, "HEARD_ROWS", 100)
    monkeypatch.setattr(held_usage, "ROWS_AT_ONCE_MAX", at_once_max)
    held = HeldUsage()
    for minute in range(50):
        hear(held, heard_at(minute))
        assert rows_held(held) <= 3 * 40 + 2 * 40
    assert held.of_account("acme").schema == SEAT_ROWS


def test_many_small_tables_are_folded_too() -> None:
    held = HeldUsage()
    hear(held, *(heard_at(minute, sessions=1) for minute in range(HEARD_TABLES)))
    assert rows_held(held) == 1


def test_a_large_piece_is_not_folded_for_a_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_usage, "HEARD_ROWS", 40)
    held = HeldUsage()
    held.hold(packed(heard_at(0, sessions=200)))
    hear(held, heard_at(1))
    assert rows_held(held) == 240
    hear(held, heard_at(2), heard_at(3), heard_at(4))
    assert rows_held(held) == 240
    hear(held, heard_at(5, sessions=100))
    assert rows_held(held) == 200


def test_days_before_the_latest_are_dropped_with_the_next_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_usage, "HEARD_ROWS", 40)
    held = HeldUsage()
    hear(held, *(heard_at(0, day=day) for day in range(10)))
    assert set(held.of_account("acme")["day"].to_pylist()) == {OPENED_AT // DAY_MS + day for day in (8, 9)}


def test_rows_that_come_while_others_are_folded_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_usage, "HEARD_ROWS", 40)
    monkeypatch.setattr(held_usage, "ROWS_AT_ONCE_MAX", 1)

    async def meanwhile() -> HeldUsage:
        held = HeldUsage()
        held.hear(heard_at(0))
        folding = asyncio.create_task(held.fold_if_due(DAYS))
        await asyncio.sleep(0)
        held.hear(heard_at(1, sessions=3))
        held.hold(packed(heard_at(2, sessions=5)))
        assert rows_held(held) == 48
        await folding
        return held

    assert rows_held(asyncio.run(meanwhile())) == 48


def test_an_account_is_read_apart_from_others() -> None:
    held = HeldUsage()
    held.hold(packed(pa.concat_tables([heard_at(0, account="studio"), heard_at(0, sessions=3)])))
    held.hold(packed(heard_at(0, sessions=0)))
    held.hear(heard_at(1, sessions=2))
    assert held.accounts() == {"acme", "studio"}
    assert set(held.of_account("acme")["account"].to_pylist()) == {"acme"}
    assert [held.of_account(account).num_rows for account in ("acme", "studio", "nobody")] == [5, 40, 0]
