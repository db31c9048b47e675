"""Sessions and explanations as records: who, when, how long, and why."""

from __future__ import annotations

from pipeline.codec.reports.session_records import explanation_record, session_record
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import HOUR_MS, MINUTE_MS
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.slot_explanation import CountedUnit, SlotExplanation
from pipeline.rules.explain.uncounted import Uncounted

OPENED_AT = 1_651_568_400_000
"""2022-05-03T09:00:00Z."""
DAY = 19_115
KEY = SessionKey("acme", "MSTN-V8I", "", "production", "ws-0123", "jana", "s1")
SESSION = Session(
    key=KEY,
    opened_at=OPENED_AT,
    last_at=OPENED_AT + 90 * MINUTE_MS + 999,
    used_slots={DAY: 0b111 << 54, DAY + 1: 0b1},
    stretches={OPENED_AT: OPENED_AT + 10 * MINUTE_MS + 600, OPENED_AT + HOUR_MS: OPENED_AT + HOUR_MS + 600},
)
RECORD = {
    "product": "MSTN",
    "reported_product": "MSTN-V8I",
    "country": "CZ",
    "usage": "production",
    "user": "jana",
    "machine": "ws-0123",
    "session": "s1",
    "opened_at": "2022-05-03T09:00:00Z",
    "last_at": "2022-05-03T10:30:00Z",
    "open_s": 5_400,
    "used_slots": 4,
    "active_s": 601,
}


def session(name: str, user: str, machine: str = "ws-0123") -> Session:
    key = KEY._replace(session=name, user=user, machine=machine)
    return Session(key, SESSION.opened_at, SESSION.last_at, SESSION.used_slots, SESSION.stretches)


def test_a_session_is_listed_under_the_product_and_country_it_counts_for() -> None:
    assert session_record(SESSION, "MSTN", "CZ") == RECORD
    assert list(session_record(SESSION, "MSTN", "CZ")) == list(RECORD)


def test_a_session_that_was_never_active_has_zero_active_seconds() -> None:
    idle = Session(KEY, OPENED_AT, OPENED_AT, {DAY: 1}, {})
    record = session_record(idle, "MSTN", "CZ")
    assert (record["open_s"], record["active_s"], record["used_slots"]) == (0, 0, 1)


def test_an_explanation_lists_units_with_users_and_reasons_of_uncounted_sessions() -> None:
    policy = metering_catalogue()["bentley-select"].at(OPENED_AT)
    explained = SlotExplanation(
        product="MSTN",
        country="CZ",
        slot_at=OPENED_AT + 10 * MINUTE_MS,
        policy=policy,
        entitled=1,
        units=(
            CountedUnit("ws-0123", (session("s1", "petr"), session("s2", "jana"), session("s3", "jana"))),
            CountedUnit("ws-9", (session("s4", "eva", "ws-9"),)),
        ),
        uncounted=(Uncounted(session("s5", "zoe"), "opening_slot", OPENED_AT),),
    )
    record = explanation_record(explained)
    units, uncounted = record.pop("units"), record.pop("uncounted")  # type: ignore[misc]  # compared by themselves
    assert record.pop("covered_checkouts") == []  # type: ignore[misc]  # by itself as well
    assert record == {
        "product": "MSTN",
        "country": "CZ",
        "slot": "2022-05-03T09:10:00Z",
        "until": "2022-05-03T09:20:00Z",
        "policy": "bentley-select@2016-04-01",
        "entitled": 1,
        "count": 2,
        "overuse": 1,
    }
    assert [(unit["machine"], unit["users"]) for unit in units] == [("ws-0123", ["jana", "petr"]), ("ws-9", ["eva"])]
    assert units[0]["sessions"][0] == {**RECORD, "user": "petr"}
    assert [session["session"] for session in units[0]["sessions"]] == ["s1", "s2", "s3"]
    assert uncounted == [
        {
            "reason": "opening_slot",
            "because": "was opened in this slot, and counting begins in the next one",
            "covered_by": None,
            "session": {**RECORD, "session": "s5", "user": "zoe"},
        }
    ]
