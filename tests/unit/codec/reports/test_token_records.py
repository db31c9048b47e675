"""Charges and connections as records and sentences: what is charged can be told from what is not."""

from __future__ import annotations

from typing import cast

from pipeline.cli.tables.token_tables import charge_sentence, stretch_sentence
from pipeline.codec.reports.token_records import TokenRecord, charge_record, free_record
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import MINUTE_MS
from pipeline.model.ledger_entries import Window
from pipeline.rules.tokens.charge_explanation import Charge
from pipeline.rules.tokens.connections import FreeConnection
from pipeline.rules.tokens.spans import Span
from tests.support.evidence.evidence_shorthand import instant

KEY = SessionKey("acme", "ACD", "CZ", "production", "pc1", "eva", "s")
FROM_AT = instant("2022-05-03 08:00")


def test_a_stretch_of_five_minutes_and_that_of_a_millisecond_more_are_told_apart() -> None:
    free = free_record(FreeConnection(KEY, "ACD", "CZ", FROM_AT, FROM_AT + 5 * MINUTE_MS, "free_connection"))
    window = Window("ACD", "CZ", "eva", FROM_AT, FROM_AT + 1440 * MINUTE_MS, 7, "autodesk-flex@2021-09-24")
    charge = charge_record(Charge("", window, None, ((KEY, Span(FROM_AT, FROM_AT + 5 * MINUTE_MS + 1)),)))
    (cause,) = cast("list[TokenRecord]", charge["caused_by"])
    assert (free["active_from"], free["active_until"]) == ("2022-05-03T08:00:00Z", "2022-05-03T08:05:00Z")
    assert cause["active_until"] == "2022-05-03T08:05:00.001Z"
    assert stretch_sentence(free) == "session s on pc1, active 2022-05-03 08:00 to 2022-05-03 08:05"
    assert stretch_sentence(cause) == "session s on pc1, active 2022-05-03 08:00 to 2022-05-03 08:05:00.001"


def test_a_window_that_starts_within_a_second_says_so() -> None:
    window = Window(
        "ACD", "CZ", "eva", FROM_AT + 30_250, FROM_AT + 30_250 + 1440 * MINUTE_MS, 7, "autodesk-flex@2021-09-24"
    )
    record = charge_record(Charge("", window, None, ()))
    assert (record["start"], record["end"]) == ("2022-05-03T08:00:30.250Z", "2022-05-04T08:00:30.250Z")
    assert charge_sentence(record).startswith("ACD eva, 2022-05-03 08:00:30.250 to 2022-05-04 08:00:30.250: 7 tokens")
