"""Dead letters keep the whole source and survive a round trip."""

from __future__ import annotations

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.topics.dead_letter_messages import DeadLetter, decode, encode, member_text
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, InvalidMember
from pipeline.codec.topics.heartbeats import decode as judge
from pipeline.model.errors import DEAD_LETTER_CODES, InvalidHeartbeat
from tests.support.evidence.frame_members import AT
from tests.support.evidence.schema_examples import event_validator

MEMBER = DeadLetter(
    "main",
    "heartbeats",
    3,
    41,
    7,
    "acme",
    "unknown_state",
    "state",
    "why",
    '{"state":"é"}',
    b"",
    AT,
    "beats.ndjson",
    12,
)
SCHEMA = event_validator("dead-letter")
LETTERS = st.builds(
    DeadLetter,
    log=st.text(max_size=5),
    topic=st.just("heartbeats"),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    index=st.integers(0, 9_999),
    account=st.text(max_size=5),
    code=st.sampled_from(DEAD_LETTER_CODES),
    field=st.sampled_from(["", "at"]),
    detail=st.text(max_size=20),
    member=st.none(),
    raw=st.binary(max_size=50),
    received_at=st.integers(0, 2**48),
    source=st.text(max_size=5),
    line=st.integers(0, 2**63 - 1),
)


@given(letter=LETTERS)
def test_a_letter_of_raw_bytes_survives_a_round_trip(letter: DeadLetter) -> None:
    assert decode(encode(letter)) == letter
    assert SCHEMA.is_valid(orjson.loads(encode(letter)))


@pytest.mark.parametrize("member", ["null", '{"state":"é\\u0000"}', '"x"', "[" * 900 + "]" * 900])
def test_a_letter_of_a_member_survives_a_round_trip(member: str) -> None:
    letter = DeadLetter("main", "heartbeats", 0, 0, 0, "", "wrong_type", "", "why", member, b"", 0, "", 0)
    assert decode(encode(letter)) == letter
    assert SCHEMA.is_valid(orjson.loads(encode(letter)))


def test_the_message_has_its_place_and_either_a_member_or_raw_bytes() -> None:
    fields = orjson.loads(encode(MEMBER))
    assert fields["id"] == {"log": "main", "topic": "heartbeats", "partition": 3, "offset": 41, "index": 7}
    assert (fields["member"], fields["raw"]) == ('{"state":"é"}', None)
    raw = DeadLetter("main", "heartbeats", 3, 41, 0, "", "bad_encoding", "", "why", None, b"\xff\x00", AT, "", 0)
    fields = orjson.loads(encode(raw))
    assert (fields["member"], base64.b64decode(fields["raw"])) == (None, b"\xff\x00")


@pytest.mark.parametrize("value", [b"{", b"\xff", b"", b'"{"'])
def test_a_value_that_cannot_be_parsed_is_kept_byte_by_byte(value: bytes) -> None:
    for invalid in judge(value).invalid:
        text, raw = member_text(invalid)
        assert (text, raw) == (('"{"', b"") if value == b'"{"' else (None, value))


@pytest.mark.parametrize("depth", [1, 254, 255, 1_000])
def test_a_member_is_kept_as_its_own_text_at_any_depth(depth: int) -> None:
    deep = b'{"at":' + b"[" * depth + b"]" * depth + b"}"
    [invalid] = judge(b'[%s,{"v":1}]' % deep).invalid[:1]
    assert member_text(invalid) == (deep.decode(), b"")


def test_the_letters_of_a_frame_of_deep_members_are_together_no_larger_than_the_frame() -> None:
    deep = b"[" * 300 + b"]" * 300
    frame = b"[%s]" % b",".join([deep] * (FRAME_BYTES_MAX // 601 - 1))
    texts = [member_text(invalid) for invalid in judge(frame).invalid]
    assert len(texts) > 1_700
    assert sum(len(text or "") + len(raw) for text, raw in texts) < len(frame)


def test_numbers_beyond_64_bits_are_kept_as_floats() -> None:
    [invalid] = judge(b'{"v":1,"at":18446744073709551616}').invalid
    assert member_text(invalid) == ('{"v":1,"at":1.8446744073709552e+19}', b"")


def letter_with(**changes: object) -> bytes:
    fields: dict[str, object] = orjson.loads(encode(MEMBER))
    return orjson.dumps({**fields, **changes})


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b"\xff", b"{", b"null", b"1", b'"x"', b"[]", b"{}"),
        letter_with(v=2),
        letter_with(id=None),
        letter_with(id={"log": "main"}),
        letter_with(id={"log": "main", "topic": "t", "partition": 0, "offset": 0, "index": 0, "line": 1}),
        letter_with(member=None, raw="é"),
        letter_with(raw=7),
        letter_with(code=None),
        letter_with(received_at="now"),
        letter_with(member={"v": 1}),
    ],
)
def test_a_foreign_message_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(value)


def test_a_member_of_bytes_is_the_whole_value() -> None:
    assert member_text(InvalidMember(0, "", b"", InvalidHeartbeat("empty", "", "no value"))) == (None, b"")
