"""Voids: what they leave out and how they are undone (RULES 7)."""

from __future__ import annotations

import pytest

from pipeline.model.contracts import Contract
from pipeline.model.instants import Period, iso
from pipeline.model.orders import Command, Order, Unvoid, Void
from pipeline.model.statements import VoidEntry
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.explain.slot_explanation import explain_slot
from pipeline.rules.orders.outcomes import outcomes
from pipeline.rules.orders.voids import overlaps, refused_unvoids, voids_in_force, without_voided
from pipeline.rules.pool.counting import counted_slots
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant
from tests.support.evidence.order_shorthand import AT, LATER, command, logged
from tests.support.evidence.random_fleets import reading_of

PERIOD = Period.parse("2022Q2")
READING = reading_of(Contract("acme", "CZ", "EUR", "sha256:0"))


def used(since: str, until: str, **more: str) -> list[Session]:
    heartbeats = beating(heartbeat(instant(f"2022-05-03 {since}"), instant(f"2022-05-03 {until}"), **more))  # type: ignore[arg-type]
    return sessions(fold(heartbeats))


def void(session: str = "", machine: str = "", user: str = "", product: str = "", range_: str = "") -> VoidEntry:
    """``range_`` is ``09:00-09:30`` on 3 May 2022."""
    bounds = [instant(f"2022-05-03 {at}") for at in range_.split("-")] if range_ else [None, None]
    return VoidEntry("v", "admin", AT, "a reason", session, product, machine, user, *bounds)


def counted(all_sessions: list[Session], *voids: VoidEntry) -> list[str]:
    """The slots in which sessions count under the ten-minute policy."""
    policy = READING.policy_at("MSTN", "CZ", AT)
    slots = {
        slot
        for session in without_voided(all_sessions, voids)
        for slot in counted_slots(session, policy, PERIOD.start_at, PERIOD.end_at)
    }
    return [iso(at)[11:16] for at in sorted(slots)]


def test_exactly_the_voided_session_is_left_out() -> None:
    all_sessions = [*used("09:01", "09:42", session="s1"), *used("09:01", "09:42", session="s2", machine="pc2")]
    assert [session.key.session for session in without_voided(all_sessions, [void(session="s1")])] == ["s2"]
    assert without_voided(all_sessions, [void(session="s3")]) == all_sessions == without_voided(all_sessions, [])


def test_product_machine_and_user_select_among_sessions_with_the_same_id() -> None:
    all_sessions = [
        *used("09:01", "09:42"),
        *used("09:01", "09:42", machine="pc2"),
        *used("09:01", "09:42", product="ORD"),
    ]
    assert len(without_voided(all_sessions, [void(session="s")])) == 0
    assert len(without_voided(all_sessions, [void(session="s", machine="pc2")])) == 2
    assert len(without_voided(all_sessions, [void(session="s", product="MSTN", machine="pc1")])) == 2
    assert without_voided(all_sessions, [void(session="s", user="petr")]) == all_sessions


@pytest.mark.parametrize(
    ("range_", "left"),
    [
        ("09:00-10:00", []),
        ("09:20-09:30", ["09:10", "09:30", "09:40"]),
        ("09:29-09:30", ["09:10", "09:30", "09:40"]),
        ("09:29-09:31", ["09:10", "09:40"]),
        ("09:20-09:20:00.001", ["09:10", "09:30", "09:40"]),
        ("08:00-09:01", ["09:10", "09:20", "09:30", "09:40"]),
        ("09:50-11:00", ["09:10", "09:20", "09:30", "09:40"]),
    ],
)
def test_a_void_of_a_range_leaves_out_every_base_slot_that_overlaps_it(range_: str, left: list[str]) -> None:
    all_sessions = used("09:01", "09:42")
    assert counted(all_sessions, void(machine="pc1", range_=range_)) == left
    assert counted(all_sessions, void(user="eva", range_=range_)) == left
    assert counted(all_sessions, void(machine="pc2", range_=range_)) == ["09:10", "09:20", "09:30", "09:40"]
    assert counted(all_sessions, void(machine="pc1", user="petr", range_=range_)) == [
        "09:10",
        "09:20",
        "09:30",
        "09:40",
    ]


def test_min_use_is_judged_by_the_whole_session_including_voided_slots() -> None:
    assert counted(used("09:01", "09:12"), void(machine="pc1", range_="09:00-09:10")) == ["09:10"]


def test_a_void_of_the_opening_slot_does_not_move_the_opening_slot() -> None:
    assert counted(used("09:01", "09:25"), void(machine="pc1", range_="09:00-09:09")) == ["09:10", "09:20"]


def test_voids_apply_together_and_over_midnight() -> None:
    all_sessions = sessions(fold(beating(heartbeat(instant("2022-05-03 23:41"), instant("2022-05-04 00:35")))))
    by_machine = void(machine="pc1", range_="23:50-23:51")
    by_user = VoidEntry("w", "", AT, "", "", "", "", "eva", instant("2022-05-04 00:10"), instant("2022-05-04 00:20"))
    assert counted(all_sessions, by_machine, by_user) == ["00:00", "00:20", "00:30"]


def in_force(*orders: tuple[str, Order]) -> list[str]:
    return [applied.id for applied in voids_in_force(logged(*(command(order, id_) for id_, order in orders)))]


def refused(*orders: tuple[str, Order]) -> list[tuple[str, str]]:
    return [
        (refusal.id, refusal.code)
        for refusal in refused_unvoids(logged(*(command(order, id_) for id_, order in orders)))
    ]


VOID, UNDO = Void("x", session="s"), Unvoid("v1", "y")


def test_a_later_entry_undoes_a_void_for_good() -> None:
    assert in_force(("v1", VOID)) == ["v1"]
    assert in_force(("v1", VOID), ("v2", VOID), ("u1", UNDO)) == ["v2"]
    assert in_force(("v1", VOID), ("u1", UNDO), ("v1", VOID)) == []


def test_undoing_something_that_is_not_a_void_in_force_is_refused() -> None:
    assert refused(("u1", UNDO), ("v1", VOID)) == [("u1", "unknown_void")]
    assert in_force(("u1", UNDO), ("v1", VOID)) == ["v1"]
    assert refused(("v1", VOID), ("u1", UNDO), ("u2", UNDO)) == [("u2", "undone_already")]
    assert refused(("v1", VOID), ("u1", UNDO), ("u1", UNDO)) == []


def test_a_void_under_a_used_id_has_no_effect() -> None:
    assert in_force(("v1", VOID), ("v1", Void("x", session="other"))) == ["v1"]
    [entry] = voids_in_force(logged(command(VOID, "v1"), command(Void("x", session="other"), "v1")))
    assert (entry.session, entry.by, entry.at, entry.reason) == ("s", "admin", AT, "x")


def test_a_statement_shows_a_range_that_reaches_into_its_period() -> None:
    before, into = instant("2022-03-01 00:00"), instant("2022-04-01 00:00")
    assert not overlaps(VoidEntry("v", "", AT, "", "", "", "m", "", before, into), PERIOD)
    assert overlaps(VoidEntry("v", "", AT, "", "", "", "m", "", before, into + 1), PERIOD)
    assert overlaps(VoidEntry("v", "", AT, "", "", "", "m", "", LATER, LATER + 1), PERIOD)
    assert not overlaps(VoidEntry("v", "", AT, "", "", "", "m", "", PERIOD.end_at, PERIOD.end_at + 1), PERIOD)


def test_an_explanation_names_the_void_that_left_a_session_out() -> None:
    all_sessions = [*used("09:01", "09:42", session="s1"), *used("09:01", "09:42", session="s2", machine="pc2")]
    at = instant("2022-05-03 09:20")
    voids = [void(session="s1"), void(user="x", range_="09:20-09:30")]
    explained = explain_slot(READING, "MSTN", "CZ", at, all_sessions, voids=voids)
    assert [unit.machine for unit in explained.units] == ["pc2"]
    [left_out] = explained.uncounted
    assert (left_out.session.key.session, left_out.reason) == ("s1", "voided")
    assert left_out.void is not None
    assert left_out.void.reason == "a reason"


def statuses(*commands: Command) -> list[str]:
    return [outcome.status for outcome in outcomes(READING, logged(*commands))]


def test_every_message_of_the_log_has_its_outcome() -> None:
    log = (command(VOID, "v1"), command(VOID, "v1"), command(UNDO, "v1"), command(UNDO, "u1"), command(UNDO, "u2"))
    assert statuses(*log) == ["accepted", "known", "conflict", "accepted", "refused"]
