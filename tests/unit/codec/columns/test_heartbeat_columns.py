"""Members judged by columns: what no random member is likely to hold. The law is in `tests/properties`."""

from __future__ import annotations

import pytest

from pipeline.codec.columns.column_checks import TIME_FIELDS
from pipeline.codec.columns.heartbeat_columns import HeartbeatJudge
from pipeline.codec.json_text import Json

MEMBER: dict[str, Json] = {
    "v": 1, "account": "acme", "product": "MSTN", "machine": "ws-1", "user": "eva", "session": "s",
    "opened_at": 1_651_651_200_000, "since": 1_651_651_260_000, "at": 1_651_651_260_000,
    "resumed_at": 1_651_651_200_000, "active_at": 1_651_651_260_000,
}  # fmt: skip


@pytest.mark.parametrize("time", [-2, -1, 0])
@pytest.mark.parametrize("name", TIME_FIELDS)
def test_no_time_stands_for_a_field_that_is_absent(name: str, time: int) -> None:
    members: list[Json] = [MEMBER, {**MEMBER, name: time}]
    judge = HeartbeatJudge()
    judge.add(0, members)
    [columns], [fault] = judge.judge(lambda _: members)
    assert len(columns.sources) == 1
    assert (fault.index, fault.reason.code, fault.reason.field) == (1, "time_out_of_range", name)
