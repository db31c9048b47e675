"""Live counts from columns equal those of seats fed object by object, whenever and however often somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from unittest.mock import patch

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.agents.applied_contracts import AppliedContract
from pipeline.agents.live import held_usage
from pipeline.agents.live.held_usage import packed
from pipeline.agents.live.live_counts import READY_MS, LiveCounts
from pipeline.codec.columns.seat_rows import seat_rows
from pipeline.codec.columns.usage_messages import NO_USAGE, decode_usage, encode_usage
from pipeline.codec.columns.usage_rows import closes, rows_of_days, session_days
from pipeline.codec.contract.policies import DEFAULT_POLICY
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import DAY_MS
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.merge import UsageFold
from pipeline.rules.live.default_judgement import DefaultJudgement
from pipeline.rules.live.judgement_cache import Judging
from pipeline.rules.live.seats_in_use import AccountSeats
from tests.support.evidence.evidence_shorthand import heartbeat
from tests.support.evidence.random_fleets import Fleet, contracts, fleets, reading_of
from tests.support.laws import examples

ACCOUNTS = ("acme", "studio")
PARTITIONS = frozenset({0, 1})


class Counted(NamedTuple):
    """All that live seats say."""

    counts: list[object]
    in_grace: list[object]
    latest_at: int
    horizon_day: int


def counted(seats: AccountSeats) -> Counted:
    return Counted([*seats.counts()], [*seats.in_grace()], seats.latest_at, seats.horizon_day)


def usage_rows(heartbeats: Sequence[Heartbeat], *, arrow: bool) -> pa.Table:
    """The rows of a meter's messages about heartbeats, in either version of the format."""
    usage = UsageFold()
    for beat in heartbeats:
        usage.add(beat, 0)
    rows = rows_of_days(usage.session_days(), usage.closes())
    messages = encode_usage(NO_USAGE._replace(rows=rows), lambda _: 0, 1 if arrow else 1_000_000)
    return pa.concat_tables([decode_usage(message.value, message.version).rows for message in messages])


class Plainly:
    """The oracle: seats of every account, object by object."""

    def __init__(self) -> None:
        default: Judging = DefaultJudgement(metering_catalogue()[DEFAULT_POLICY])
        self.seats = {account: AccountSeats(default) for account in ACCOUNTS}

    def hear(self, rows: pa.Table) -> None:
        for day in session_days(rows):
            self.seats[day.session.account].merge(day)
        for close in closes(rows):
            self.seats[close.session.account].close(close)
        for seats in self.seats.values():
            seats.forget()


@settings(max_examples=examples(60))
@given(fleets(sessions_max=6) | fleets(sessions_max=5, hours=1), st.data())
def test_counts_from_columns_equal_those_of_objects(fleet: Fleet, data: st.DataObject) -> None:
    late_at = fleet.turn_at + data.draw(st.sampled_from((0, 1, 2, 2, 3, 5))) * DAY_MS
    heartbeats = [
        beat
        for account in ACCOUNTS
        for beat in (*fleet.of(account), heartbeat(late_at, late_at, machine="late", account=account))
    ]
    heartbeats = data.draw(st.permutations([*heartbeats, *data.draw(st.lists(st.sampled_from(heartbeats)))]))
    contract = data.draw(contracts(fleet.turn_at))
    now = 0

    async def follow() -> None:
        nonlocal now
        counts, plainly = LiveCounts(lambda: now), Plainly()
        counts.assign(PARTITIONS)
        start = 0
        while start < len(heartbeats):
            end = start + data.draw(st.integers(1, 8))
            rows = usage_rows(heartbeats[start:end], arrow=data.draw(st.booleans()))
            partition = data.draw(st.sampled_from(sorted(PARTITIONS)))
            if data.draw(st.booleans()):
                counts.hear(partition, seat_rows(rows))
            else:
                counts.hold(partition, packed(seat_rows(rows)))
            plainly.hear(rows)
            if data.draw(st.integers(0, 3)) == 0:
                counts.apply(AppliedContract(contract, b"", 1, "", 0))
                plainly.seats[contract.account].judge_by(reading_of(contract))
            await counts.fold()
            for account in data.draw(st.lists(st.sampled_from(ACCOUNTS), max_size=2)):
                assert counted(counts.account(account)) == counted(plainly.seats[account])
            now += data.draw(st.sampled_from((1, READY_MS // 2, READY_MS)))
            start = end
        for account in ACCOUNTS:
            assert counted(counts.account(account)) == counted(plainly.seats[account])

    sizes = {
        "HEARD_ROWS": data.draw(st.sampled_from((1, 2, 6, 40))),
        "ROWS_AT_ONCE_MAX": data.draw(st.sampled_from((5, 10_000))),
    }
    with patch.multiple(held_usage, **sizes):  # type: ignore[call-overload]  # the stub takes no mapping
        asyncio.run(follow())
