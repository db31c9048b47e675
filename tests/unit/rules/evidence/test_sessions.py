"""Sessions: the days of a session are combined (RULES 1)."""

from __future__ import annotations

from pipeline.model.instants import BASE_SLOT_MS, MINUTE_MS
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant

MIDNIGHT = instant("2022-05-04 00:00")


def test_the_days_of_a_session_are_combined_in_any_order() -> None:
    days = fold(beating(heartbeat(MIDNIGHT - 15 * MINUTE_MS, MIDNIGHT + 15 * MINUTE_MS)))
    (session,) = sessions([*reversed(days), *days])
    assert (session.opened_at, session.last_at) == (MIDNIGHT - 15 * MINUTE_MS, MIDNIGHT + 15 * MINUTE_MS)
    assert [*session.used_at()] == [MIDNIGHT + slot * BASE_SLOT_MS for slot in (-2, -1, 0, 1)]
    assert session.stretches == {session.opened_at: session.last_at}


def test_sessions_differ_in_any_part_of_their_key() -> None:
    original = heartbeat(MIDNIGHT, MIDNIGHT + 1)
    others = [
        original._replace(account="other"),
        original._replace(product="other"),
        original._replace(country="other"),
        original._replace(usage="trial"),
        original._replace(machine="other"),
        original._replace(user="other"),
        original._replace(session="other"),
    ]
    assert len(sessions(fold([original, original, *others]))) == 8
    assert (
        len(sessions(fold([original, original._replace(version="other", platform="other", host_session="other")]))) == 1
    )
