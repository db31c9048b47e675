"""What a packet asks the store about over-used sessions. Equality with the rules is a law of `tests/properties`."""

from __future__ import annotations

from pipeline.model.evidence import SessionDay, SessionKey
from pipeline.model.instants import DAY_MS
from pipeline.store.client import Client
from pipeline.store.overused_sessions import first_sessions
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_session_days

DAY = 19_115
NOON_AT = DAY * DAY_MS + DAY_MS // 2


def used(account: str, session: str, day: int, opened_at: int) -> SessionDay:
    key = SessionKey(account, "OLD", "CZ", "production", "pc", "eva", session)
    return SessionDay(key, day, opened_at, day * DAY_MS + DAY_MS - 1, 1, {}, "", 0, 0)


def test_a_session_was_opened_when_the_first_of_its_evidence_says_also_before_its_code_was_the_products(
    store: Client,
) -> None:
    account = new_account()
    across = [used(account, "across", DAY, NOON_AT), used(account, "across", DAY + 1, NOON_AT + 2)]
    write_session_days(store, [*across, used(account, "later", DAY + 1, NOON_AT + 1)])
    assert {key.session for key in first_sessions(store, account, [("OLD", DAY + 1, DAY + 9)])} == {"across"}
    assert {key.session for key in first_sessions(store, account, [("OLD", DAY + 2, DAY + 9)])} == set()
