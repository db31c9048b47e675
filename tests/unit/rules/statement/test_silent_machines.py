"""Silent machines are those whose evidence may still be missing."""

from __future__ import annotations

import pytest

from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import DAY_MS, MINUTE_MS, Period
from pipeline.rules.evidence.merge import UsageFold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.statement.silent_machines import SilentMachine, SilentRange, silent_machines
from tests.support.evidence.evidence_shorthand import heartbeat, instant

NINE = instant("2022-05-03 09:00")
Q2 = Period.parse("2022Q2")
DAY = SilentRange(NINE - DAY_MS, NINE + DAY_MS)


def silent(*heartbeats: Heartbeat, within: SilentRange = DAY) -> list[SilentMachine]:
    usage = UsageFold()
    for beat in heartbeats:
        usage.add(beat, 0)
    closed_at = {close.session: close.closed_at for close in usage.closes()}
    return list(silent_machines(sessions(usage.session_days()), closed_at, within))


def test_a_machine_with_an_unclosed_session_is_listed_with_user_product_and_last_heartbeat() -> None:
    machines = silent(
        heartbeat(NINE, NINE + 5, user="eva", product="ORD"),
        heartbeat(NINE, NINE + 9, user="petr", session="b"),
        heartbeat(NINE, NINE + 9, machine="pc0"),
    )
    assert machines == [
        SilentMachine("pc0", 1, NINE + 9, ("eva",), ("MSTN",)),
        SilentMachine("pc1", 2, NINE + 9, ("eva", "petr"), ("MSTN", "ORD")),
    ]


@pytest.mark.parametrize("closed_at", [NINE + 9, NINE + 60 * MINUTE_MS])
def test_a_closed_session_is_not_silent(closed_at: int) -> None:
    bare = heartbeat(NINE, closed_at, since=closed_at, state="close")
    assert silent(heartbeat(NINE, NINE + 9), bare) == []
    assert silent(bare, heartbeat(NINE, NINE + 9)) == []


def test_a_session_that_went_on_after_its_close_is_open_again() -> None:
    close = heartbeat(NINE, NINE + 5, state="close")
    assert [machine.last_at for machine in silent(close, heartbeat(NINE, NINE + 9))] == [NINE + 9]


def test_only_production_use_makes_a_machine_silent() -> None:
    assert silent(heartbeat(NINE, NINE + 9, usage="trial")) == []


@pytest.mark.parametrize(("last_at", "count"), [(10, 1), (11, 0), (4, 0), (5, 1)])
def test_the_range_includes_both_its_ends(last_at: int, count: int) -> None:
    within = SilentRange(NINE + 5, NINE + 10)
    assert len(silent(heartbeat(NINE, NINE + last_at), within=within)) == count


def test_the_range_begins_half_an_hour_before_the_completeness_mark() -> None:
    assert SilentRange.of(NINE, 35) == SilentRange(NINE - 35 * DAY_MS, NINE - 30 * MINUTE_MS)


def test_a_machine_is_silent_in_the_quarter_of_its_last_heartbeat() -> None:
    assert SilentRange.of(NINE, 35, Q2) == SilentRange(Q2.start_at, NINE - 30 * MINUTE_MS)
    assert SilentRange.of(Q2.end_at + DAY_MS, 35, Q2) == SilentRange(Q2.start_at, Q2.end_at - 1)
