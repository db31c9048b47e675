"""Each field of a heartbeat by itself, and its times together (RULES 1, INTERFACES)."""

from __future__ import annotations

from unicodedata import normalize

import orjson
import pytest

from pipeline.codec.json_text import Json
from tests.support.evidence.frame_members import (
    AT,
    EARLIEST_AT,
    LAST_AT,
    MINIMAL,
    OPENED_AT,
    OPTIONAL_TEXTS,
    REQUIRED_TEXTS,
    REQUIRED_TIMES,
    SPAN_MS,
    TEXTS,
    TIMES,
    accepted,
    code_and_field,
    refused,
    whole,
    with_fields,
    without,
)


@pytest.mark.parametrize("name", REQUIRED_TEXTS)
def test_a_missing_required_text_is_invalid(name: str) -> None:
    assert code_and_field(refused(without(name))) == ("missing_field", name)
    assert code_and_field(refused(with_fields(**{name: None}))) == ("missing_field", name)


@pytest.mark.parametrize("name", OPTIONAL_TEXTS)
def test_an_optional_text_that_is_absent_or_null_is_an_empty_one(name: str) -> None:
    assert getattr(accepted(MINIMAL), name) == ""
    assert accepted(with_fields(**{name: None})) == accepted(MINIMAL)


@pytest.mark.parametrize("name", TEXTS)
def test_an_empty_text_is_invalid(name: str) -> None:
    assert code_and_field(refused(with_fields(**{name: ""}))) == ("empty_field", name)


@pytest.mark.parametrize("character", ["x", "é", "設", "🛠"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_has_up_to_200_characters_whatever_their_bytes(name: str, character: str) -> None:
    assert getattr(accepted(with_fields(**{name: character * 200})), name) == character * 200
    assert code_and_field(refused(with_fields(**{name: character * 201}))) == ("field_too_long", name)


@pytest.mark.parametrize(
    "character", ["\x00", "\x01", "\t", "\n", "\r", "\x1b", "\x1f", "\x7f", "\x80", "\x85", "\x9f"]
)
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_holds_no_control_character(name: str, character: str) -> None:
    for text in (character, f"{character}ws", f"w{character}s", f"ws{character}"):
        assert code_and_field(refused(with_fields(**{name: text}))) == ("control_character", name)


@pytest.mark.parametrize("character", [" ", "\u00a0", "\u00ad", "\u2028", "\u200b", "\ufeff", "\ue000", "\U000e0001"])
@pytest.mark.parametrize("name", TEXTS)
def test_unprintable_characters_that_are_not_control_characters_are_kept(name: str, character: str) -> None:
    text = f"a{character}b"
    assert getattr(accepted(with_fields(**{name: text})), name) == text


@pytest.mark.parametrize("value", [0, 1, 1.5, True, False, [], ["ws"], {}, {"name": "ws"}])
@pytest.mark.parametrize("name", TEXTS)
def test_a_value_that_is_not_a_text_has_the_wrong_type(name: str, value: Json) -> None:
    assert code_and_field(refused(with_fields(**{name: value}))) == ("invalid_type", name)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("Jana@ACME.example", "jana@acme.example"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("İstanbul", "i̇stanbul"),
        ("Jose\u0301", "jos\u00e9"),
        ("JOS\u00c9", "jos\u00e9"),
        ("\uff2a\uff21\uff2e\uff21", "\uff4a\uff41\uff4e\uff41"),
        ("ΌΔΟΣ", "όδοσ"),
        ("όδος", "όδοσ"),
        ("ﬁnn", "finn"),
        ("ǅ", "ǆ"),
        ("設計", "設計"),
    ],
)
@pytest.mark.parametrize("name", ["user", "machine"])
def test_users_and_machines_are_stored_in_nfc_and_case_folded(name: str, given: str, stored: str) -> None:
    assert getattr(accepted(with_fields(**{name: given})), name) == stored
    assert getattr(accepted(with_fields(**{name: normalize("NFD", given)})), name) == stored


@pytest.mark.parametrize("name", ["account", "product", "session", *OPTIONAL_TEXTS])
def test_all_other_texts_are_stored_unchanged(name: str) -> None:
    assert getattr(accepted(with_fields(**{name: "Jose\u0301 İß"})), name) == "Jose\u0301 İß"


def test_the_limit_of_200_characters_applies_before_folding() -> None:
    assert accepted(with_fields(user="ß" * 200)).user == "s" * 400


@pytest.mark.parametrize("name", REQUIRED_TIMES)
def test_a_missing_required_time_is_invalid(name: str) -> None:
    assert code_and_field(refused(without(name))) == ("missing_field", name)
    assert code_and_field(refused(with_fields(**{name: None}))) == ("missing_field", name)


def test_since_defaults_to_at_and_activity_to_active_throughout() -> None:
    for member in (MINIMAL, with_fields(since=None, resumed_at=None, active_at=None)):
        heartbeat = accepted(member)
        assert (heartbeat.since, heartbeat.resumed_at, heartbeat.active_at) == (AT, OPENED_AT, AT)


@pytest.mark.parametrize("value", [True, False, 1651569060000.0, 1651569060000.5, "1651569060000", "", [AT], {}])
@pytest.mark.parametrize("name", TIMES)
def test_a_time_is_written_as_an_integer(name: str, value: Json) -> None:
    assert code_and_field(refused(with_fields(**{name: value}))) == ("invalid_type", name)


@pytest.mark.parametrize("written", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"01", b"0x1"])
@pytest.mark.parametrize("name", TIMES)
def test_a_time_that_json_cannot_write_is_bad_json(name: str, written: bytes) -> None:
    assert whole(b'%s,"%s":%s}' % (orjson.dumps(MINIMAL)[:-1], name.encode(), written)).code == "bad_json"


@pytest.mark.parametrize(
    "value",
    [
        *(0, 1, -1, AT // 1_000, AT * 1_000, -AT, EARLIEST_AT - 1, LAST_AT + 1),
        *(2**31, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, -(2**63), -(2**63) - 1, -(10**30)),
    ],
)
@pytest.mark.parametrize("name", TIMES)
def test_an_integer_outside_the_years_2000_to_2100_is_out_of_range(name: str, value: int) -> None:
    member = b'%s,"%s":%d}' % (orjson.dumps(MINIMAL)[:-1], name.encode(), value)
    assert code_and_field(refused(member)) == ("time_out_of_range", name)


@pytest.mark.parametrize("edge_at", [EARLIEST_AT, LAST_AT])
def test_the_range_includes_its_first_and_last_millisecond(edge_at: int) -> None:
    times: dict[str, Json] = dict.fromkeys(TIMES, edge_at)
    assert accepted(with_fields(**times)).opened_at == edge_at


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"opened_at": AT + 1}, "since"),
        ({"since": OPENED_AT - 1}, "since"),
        ({"since": AT + 1}, "since"),
        ({"resumed_at": OPENED_AT - 1, "active_at": AT}, "active_at"),
        ({"resumed_at": AT, "active_at": AT - 1}, "active_at"),
        ({"resumed_at": AT, "active_at": AT + 1}, "active_at"),
    ],
)
def test_times_out_of_order_are_invalid(times: dict[str, Json], field: str) -> None:
    assert code_and_field(refused(with_fields(**times))) == ("times_out_of_order", field)


def test_times_may_be_equal() -> None:
    assert accepted(with_fields(opened_at=AT, since=AT, resumed_at=AT, active_at=AT)).opened_at == AT


@pytest.mark.parametrize(
    "times", [{"resumed_at": OPENED_AT, "active_at": OPENED_AT}, {"resumed_at": AT, "active_at": AT}]
)
def test_activity_may_lie_anywhere_between_opening_and_at(times: dict[str, Json]) -> None:
    assert accepted(with_fields(since=AT - 1, **times)).resumed_at == times["resumed_at"]


@pytest.mark.parametrize(("present", "absent"), [("resumed_at", "active_at"), ("active_at", "resumed_at")])
def test_the_activity_fields_are_present_together(present: str, absent: str) -> None:
    assert code_and_field(refused(with_fields(**{present: AT}))) == ("activity_incomplete", absent)
    assert code_and_field(refused(with_fields(**{present: AT, absent: None}))) == ("activity_incomplete", absent)


@pytest.mark.parametrize("since", [None, AT - SPAN_MS, AT])
def test_a_span_longer_than_35_days_is_invalid(since: Json) -> None:
    assert accepted(with_fields(opened_at=AT - SPAN_MS, since=since)).opened_at == AT - SPAN_MS
    longer = refused(with_fields(opened_at=AT - SPAN_MS - 1, since=since))
    assert code_and_field(longer) == ("span_too_long", "opened_at")
    assert refused(with_fields(opened_at=AT - SPAN_MS - 1, since=AT - SPAN_MS - 1)).code == "span_too_long"
