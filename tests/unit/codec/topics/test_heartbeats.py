"""Judging heartbeats and frames of them: what is evidence, and what becomes a dead letter (RULES 1, INTERFACES)."""

from __future__ import annotations

import orjson
import pytest

from pipeline.codec.json_text import Json
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, LINES_MARK, Decoded, InvalidMember, decode
from pipeline.model.errors import DEAD_LETTER_CODES, LICENCE_LOG_CODES, InvalidHeartbeat
from tests.support.evidence.frame_members import (
    AT,
    MINIMAL,
    NEIGHBOUR,
    OPENED_AT,
    SPAN_MS,
    accepted,
    code_and_field,
    in_a_frame,
    refused,
    whole,
    with_fields,
    without,
)


@pytest.mark.parametrize("value", [None, b""])
def test_a_message_without_a_value_is_empty(value: bytes | None) -> None:
    assert whole(value).code == "empty"


@pytest.mark.parametrize(
    "value",
    [
        b" ",
        b"{",
        b'{"v":1,"account":"ac',
        b"[1,2",
        b"{} {}",
        b"NaN",
        b'{"at":Infinity}',
        b"{'v':1}",
        b'{"user":"\t"}',
        b'{"user":"\\ud800"}',
        b"[" * 2_000 + b"]" * 2_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b"\x00",
        b"\xef\xbb\xbf{}",
    ],
)
def test_a_value_that_is_not_json_is_a_single_dead_letter(value: bytes) -> None:
    assert whole(value).code == "bad_json"


def lines(*contents: bytes) -> bytes:
    """A frame of lines."""
    return LINES_MARK + b"\n".join(contents)


def test_each_line_of_a_frame_of_lines_is_judged_by_itself() -> None:
    neighbour = orjson.dumps(NEIGHBOUR)
    decoded = decode(lines(neighbour, b"{", b"", b"\xff\r", b"[]", b" null", neighbour + b"\r"))
    assert [heartbeat.session for heartbeat in decoded.heartbeats] == [NEIGHBOUR["session"]] * 2
    assert [(each.index, each.reason.code, each.member) for each in decoded.invalid] == [
        (1, "bad_json", b"{"),
        (2, "bad_json", b""),
        (3, "bad_encoding", b"\xff"),
        (4, "wrong_type", []),
        (5, "empty", None),
    ]


def test_lines_that_only_together_are_json_are_no_heartbeats() -> None:
    first, second = orjson.dumps(NEIGHBOUR)[:-1] + b',"x":[{}', b"{}]}," + orjson.dumps(NEIGHBOUR)
    assert len(decode(b"[%s,%s]" % (first, second)).heartbeats) == 2
    assert [each.reason.code for each in decode(lines(first, second)).invalid] == ["bad_json"] * 2


def test_a_frame_of_lines_has_the_limits_of_a_frame() -> None:
    assert len(decode(lines(*[b"{}"] * 10_000)).invalid) == 10_000
    assert whole(lines(*[b"{}"] * 10_001)).code == "frame_too_large"
    assert whole(lines(b" " * FRAME_BYTES_MAX)).code == "frame_too_large"


@pytest.mark.parametrize(
    "value", [b'{"user":"Jos\xe9"}', b"\xff\xfe{\x00}\x00", b'"\xed\xa0\x80"', b'"\xc0\xaf"', b"\x80"]
)
def test_bad_encoding_is_distinguished_from_bad_json(value: bytes) -> None:
    assert whole(value).code == "bad_encoding"


def test_an_empty_frame_holds_nothing() -> None:
    assert decode(b"[]") == Decoded([], [])


def test_a_frame_of_more_than_ten_thousand_heartbeats_is_too_large() -> None:
    assert len(decode(b"[%s]" % b",".join([b"null"] * 10_000)).invalid) == 10_000
    assert whole(b"[%s]" % b",".join([b"null"] * 10_001)).code == "frame_too_large"


@pytest.mark.parametrize("pad", [b" ", b"\n"])
def test_a_value_of_more_than_a_mebibyte_is_too_large(pad: bytes) -> None:
    content = orjson.dumps(MINIMAL)
    full = content + pad * (1_048_576 - len(content))
    assert len(decode(full).heartbeats) == 1
    assert whole(full + pad).code == "frame_too_large"


def test_the_order_of_a_frame_is_kept() -> None:
    frame: list[Json] = [with_fields(session=str(number)) if number % 3 else None for number in range(9)]
    decoded = decode(orjson.dumps(frame))
    assert [heartbeat.session for heartbeat in decoded.heartbeats] == ["1", "2", "4", "5", "7", "8"]
    assert [invalid.index for invalid in decoded.invalid] == [0, 3, 6]


def test_null_is_empty() -> None:
    assert refused(b"null").code == "empty"


@pytest.mark.parametrize("member", ["MSTN started", "", 1, 0, -1.5, 1e20, True, False])
def test_a_member_that_is_not_an_object_has_the_wrong_type(member: Json) -> None:
    assert refused(member).code == "wrong_type"


def test_an_array_within_a_frame_has_the_wrong_type() -> None:
    decoded = decode(orjson.dumps([[MINIMAL], NEIGHBOUR, []]))
    assert [(invalid.index, invalid.reason.code) for invalid in decoded.invalid] == [
        (0, "wrong_type"),
        (2, "wrong_type"),
    ]
    assert [heartbeat.session for heartbeat in decoded.heartbeats] == ["neighbour"]


@pytest.mark.parametrize("depth", [2, 254, 255, 1_000])
def test_an_unknown_field_is_ignored_at_any_readable_depth(depth: int) -> None:
    deep = b'%s,"note":%s%s}' % (orjson.dumps(MINIMAL)[:-1], b"[" * depth, b"]" * depth)
    assert decode(deep).heartbeats == decode(in_a_frame(deep)).heartbeats[1:2] == [accepted(MINIMAL)]


@pytest.mark.parametrize("depth", [255, 900, 1_022])
@pytest.mark.parametrize("name", ["v", "account", "at", "since", "state", "usage", "country", "note"])
def test_a_deep_value_in_any_field_is_judged_and_never_raises(name: str, depth: int) -> None:
    member = b'{"%s":%s%s}' % (name.encode(), b"[" * depth, b"]" * depth)
    content = in_a_frame(member)
    assert len(decode(content).invalid) == 1
    assert len(decode(content).heartbeats) == 2


def test_unknown_fields_are_ignored() -> None:
    assert accepted(with_fields(colour="blue", V=2, At=None, nested={"at": [1, {}]})) == accepted(MINIMAL)


def test_the_last_value_of_a_repeated_field_holds() -> None:
    content = orjson.dumps(MINIMAL)[:-1] + b',"session":"s2"}'
    assert decode(content).heartbeats[0].session == "s2"


def test_an_invalid_member_has_the_account_that_it_names() -> None:
    assert invalid_account(with_fields(at=True)) == "acme"
    assert invalid_account(with_fields(account="x" * 200, at=True)) == "x" * 200


@pytest.mark.parametrize("account", [None, "", 7, ["acme"], "x" * 201])
def test_an_invalid_member_with_an_invalid_account_has_no_account(account: Json) -> None:
    assert invalid_account(with_fields(account=account)) == ""


def invalid_account(member: Json) -> str:
    [invalid] = decode(orjson.dumps(member)).invalid
    return invalid.account


def test_a_missing_version_is_invalid() -> None:
    assert code_and_field(refused(without("v"))) == ("missing_field", "v")
    assert code_and_field(refused(with_fields(v=None))) == ("missing_field", "v")


@pytest.mark.parametrize("version", [0, 2, -1, 2**64 - 1, "1", "", True, False, 1.0, 1.5, [], [1], {}])
def test_any_version_but_the_integer_1_is_unknown(version: Json) -> None:
    assert code_and_field(refused(with_fields(v=version))) == ("unknown_version", "v")


@pytest.mark.parametrize("state", ["open", "beat", "close"])
def test_a_known_state_is_kept(state: str) -> None:
    assert accepted(with_fields(state=state)).state == state


@pytest.mark.parametrize("usage", ["production", "trial", "evaluation", "pre-activation"])
def test_a_known_usage_is_kept(usage: str) -> None:
    assert accepted(with_fields(usage=usage)).usage == usage


def test_state_defaults_to_beat_and_usage_to_production() -> None:
    for member in (MINIMAL, with_fields(state=None, usage=None)):
        assert (accepted(member).state, accepted(member).usage) == ("beat", "production")


@pytest.mark.parametrize(
    "value", ["", "BEAT", "Production", "paused", " beat", "x" * 100_000, 1, True, [], ["beat"], {}]
)
@pytest.mark.parametrize(("name", "code"), [("state", "unknown_state"), ("usage", "unknown_usage")])
def test_any_other_state_or_usage_is_unknown(name: str, code: str, value: Json) -> None:
    reason = refused(with_fields(**{name: value}))
    assert code_and_field(reason) == (code, name)
    assert len(reason.detail) < 150


def test_the_reason_is_the_first_mistake_in_the_order_of_fields() -> None:
    everything: dict[str, Json] = {"v": 2, "account": "", "at": True, "state": "paused"}
    assert refused(everything).code == "unknown_version"
    assert code_and_field(refused({**everything, "v": 1})) == ("empty_field", "account")


def test_every_code_has_a_test_case() -> None:
    given = {invalid.reason.code for value in _each_kind_of_invalid_value() for invalid in decode(value).invalid}
    assert given == set(DEAD_LETTER_CODES) - LICENCE_LOG_CODES


def _each_kind_of_invalid_value() -> list[bytes]:
    changes: list[dict[str, Json]] = [
        {"v": 2},
        {"user": None},
        {"user": 1},
        {"user": ""},
        {"user": "x" * 201},
        {"user": "\x00"},
        {"state": "paused"},
        {"usage": "academic"},
        {"at": 1},
        {"at": OPENED_AT - 1},
        {"resumed_at": AT},
        {"opened_at": AT - SPAN_MS - 1},
    ]
    return [b"", b"\xff", b"{", b"1", b" " * 1_048_577, *(orjson.dumps(with_fields(**change)) for change in changes)]


def test_an_invalid_member_is_kept_as_its_own_json() -> None:
    member: dict[str, Json] = {"v": 1, "account": "acme", "note": [None, 1.5, "é"]}
    assert decode(orjson.dumps([NEIGHBOUR, member])).invalid == [
        InvalidMember(1, "acme", member, InvalidHeartbeat("missing_field", "product", "product is missing"))
    ]
