"""SQL and Python agree on which machines are silent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.instants import HOUR_MS, MINUTE_MS
from pipeline.rules.evidence.merge import UsageFold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.statement.silent_machines import SilentRange, silent_machines
from pipeline.store.client import Client
from pipeline.store.silent_sessions import read_silent_machines
from tests.support.evidence.evidence_shorthand import heartbeat
from tests.support.evidence.random_fleets import Fleet, fleets
from tests.support.laws import examples
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_closes, write_session_days

pytestmark = pytest.mark.slow

minutes = st.integers(-40 * 60, 40 * 60)


@settings(max_examples=examples(40))
@given(fleet=fleets(sessions_max=14), data=st.data())
def test_the_store_and_the_rules_list_the_same_silent_machines(
    store: Client, fleet: Fleet, data: st.DataObject
) -> None:
    account, usage = new_account(), UsageFold()
    heartbeats = list(fleet.of(account))
    for beat in data.draw(
        st.lists(st.sampled_from(heartbeats), max_size=6)
    ):  # bare closes, before and after the last beat
        closed_at = max(beat.opened_at, beat.at + data.draw(st.sampled_from((-MINUTE_MS, 0, MINUTE_MS, 3 * HOUR_MS))))
        heartbeats.append(beat._replace(state="close", since=closed_at, at=closed_at))
    for beat in heartbeats:
        usage.add(beat, 0)
    days, closes = list(usage.session_days()), list(usage.closes())
    for _ in range(2):
        write_session_days(store, days)
        write_closes(store, closes)
    from_at = data.draw(
        st.sampled_from([beat.at for beat in heartbeats]) | minutes.map(lambda m: fleet.turn_at + m * MINUTE_MS)
    )
    silent = SilentRange(from_at, from_at + data.draw(st.integers(0, 40 * 60)) * MINUTE_MS)
    closed_at_of = {close.session: close.closed_at for close in closes}
    expected = silent_machines(sessions(days), closed_at_of, silent)
    assert read_silent_machines(store, account, silent) == expected


def test_a_session_closed_at_midnight_is_not_silent_and_an_open_session_is(store: Client) -> None:
    account = new_account()
    midnight = 19_000 * 24 * HOUR_MS
    usage = UsageFold()
    for machine, state in (("open", "beat"), ("closed", "close")):
        usage.add(heartbeat(midnight - HOUR_MS, midnight, account=account, machine=machine, state=state), 0)
    write_session_days(store, usage.session_days())
    write_closes(store, usage.closes())
    machines = read_silent_machines(store, account, SilentRange(midnight, midnight + HOUR_MS))
    assert [machine.machine for machine in machines] == ["open"]
