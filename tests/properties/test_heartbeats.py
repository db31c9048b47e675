"""Laws of judging heartbeats, for any input."""

from __future__ import annotations

import json
from collections import Counter
from unicodedata import normalize

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.agents.meter import MeterStep
from pipeline.codec.json_text import Json, json_bytes
from pipeline.codec.topics.heartbeats import FRAME_HEARTBEATS_MAX, LINES_MARK, decode, judge
from pipeline.model.errors import DEAD_LETTER_CODES
from pipeline.model.evidence import Heartbeat
from pipeline.model.text import fold
from pipeline.rules.evidence.merge import UsageFold
from tests.support.agents.step_messages import PARTITIONS, facts_of, message
from tests.support.evidence.frame_members import (
    AT,
    EARLIEST_AT,
    LAST_AT,
    MINIMAL,
    OPENED_AT,
    OPTIONAL_TEXTS,
    REQUIRED_TEXTS,
    SPAN_MS,
    TIMES,
)
from tests.support.evidence.schema_examples import event_validator
from tests.support.laws import examples

HEARTBEAT, FRAME = event_validator("heartbeat"), event_validator("heartbeats")
FIELDS = ("v", *REQUIRED_TEXTS, *OPTIONAL_TEXTS, *TIMES, "state", "usage")

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
SOME_TEXTS = st.one_of(
    st.sampled_from([chr(code) for code in (*range(0x20), *range(0x7E, 0xA1), 0xAD, 0x2028, 0xFEFF)]).map(
        "a{}b".format
    ),
    st.text(min_size=199, max_size=201, alphabet="aß\u00e9"),
    st.text(max_size=5),
)
SOME_TIMES = st.one_of(
    st.integers(AT - 3, AT + 3),
    st.integers(OPENED_AT - 1, OPENED_AT + 1),
    st.integers(AT - SPAN_MS - 1, AT - SPAN_MS + 1),
    st.sampled_from([EARLIEST_AT, LAST_AT, AT // 1000, 2**63, 2**64, -(2**70), float(AT), AT + 0.5, None]),
)
WORDS = st.sampled_from(
    ["open", "beat", "close", "paused", "production", "trial", "evaluation", "pre-activation", "", 1, 2, 1.0, "1", True]
)
ABSENT = object()
CHANGES = st.one_of(
    st.tuples(st.sampled_from(TIMES), SOME_TIMES),
    st.tuples(st.sampled_from((*REQUIRED_TEXTS, *OPTIONAL_TEXTS)), SOME_TEXTS),
    st.tuples(st.sampled_from(("state", "usage", "v")), WORDS),
    st.tuples(st.sampled_from(FIELDS), st.just(ABSENT)),
    st.tuples(st.sampled_from(FIELDS), ANY_JSON),
    st.tuples(st.text(), ANY_JSON),
)
SHIFTS = st.one_of(
    st.just(0),
    st.integers(LAST_AT - AT - 1, LAST_AT - AT + 1),
    st.integers(EARLIEST_AT - OPENED_AT - 1, EARLIEST_AT - OPENED_AT + 1),
)


@st.composite
def near_valid(draw: st.DrawFn) -> dict[str, Json]:
    """A heartbeat with a few fields changed, left out or added, perhaps at the limits of time; many are valid."""
    shift_ms = draw(SHIFTS)
    member: dict[str, Json] = {**MINIMAL, "opened_at": OPENED_AT + shift_ms, "at": AT + shift_ms}
    times = sorted(draw(st.lists(st.integers(OPENED_AT - 1, AT + 1), min_size=2, max_size=2)))
    if draw(st.booleans()):
        member |= {"resumed_at": times[0] + shift_ms, "active_at": times[1] + shift_ms}
    if draw(st.booleans()):
        member["since"] = times[0] + shift_ms
    for name, value in draw(st.lists(CHANGES, max_size=2)):
        if value is ABSENT:
            member.pop(name, None)
        else:
            member[name] = value
    return member


def as_read(member: Json) -> tuple[bytes, Json]:
    """The JSON text of a member, and its value when read: integers beyond 64 bits become floats."""
    text = json.dumps(member, ensure_ascii=False).encode()
    parsed: Json = orjson.loads(text)
    return text, parsed


def keeps_the_stated_order(member: dict[str, Json]) -> bool:
    """The rule that ``heartbeat.v1.schema.json`` states in words, for an object that it accepts."""
    times = {name: time for name in TIMES if isinstance(time := member.get(name), int)}
    opened_at, at = times["opened_at"], times["at"]
    use = [opened_at, times.get("since", at), at]
    activity = [opened_at, times.get("resumed_at", opened_at), times.get("active_at", at), at]
    return use == sorted(use) and activity == sorted(activity) and at - opened_at <= SPAN_MS


@st.composite
def repeating(draw: st.DrawFn) -> list[Json]:
    """Frames of a few clients' heartbeats with some fields changed, left out, added or in another order."""
    members_of_clients = [draw(near_valid()) for _ in range(draw(st.integers(1, 3)))]
    members: list[Json] = []
    for member in draw(st.lists(st.sampled_from(members_of_clients), min_size=2, max_size=12)):
        later = dict(draw(st.permutations(list(member.items())))) if draw(st.booleans()) else dict(member)
        for name, value in draw(st.lists(CHANGES, max_size=1)):
            if value is ABSENT:
                later.pop(name, None)
            else:
                later[name] = value
        shift_ms = draw(st.sampled_from((0, 60_000, 86_400_000)))
        for name in TIMES:
            time = later.get(name)
            later |= {name: time + shift_ms} if type(time) is int else {}
        members.append(draw(ANY_JSON) if draw(st.integers(0, 9)) == 0 else later)
    return members


def as_text(members: list[Json]) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode()


@settings(max_examples=examples(300))
@given(frames=st.lists(repeating(), min_size=1, max_size=4))
@example(frames=[[MINIMAL, {**MINIMAL, "v": True}, {**MINIMAL, "v": 1.0}, {**MINIMAL, "at": float(AT)}]])
@example(
    frames=[[{**MINIMAL, "user": "JIŘÍ"}, {**MINIMAL, "user": "jir\u030ci\u0301"}, {**MINIMAL, "user": "ß" * 150}]]
)
@example(frames=[[{**MINIMAL, "user": "a\u0080"}, {**MINIMAL, "user": "a\u00a0"}, {**MINIMAL, "user": "a\u007f"}]])
@example(frames=[[[1, 2], [0, 1]], [[1, 2, 3]], ["01", "ab"], [{}, {}], [[], []]])
@example(frames=[[{**MINIMAL, "host_session": "h"}, {**MINIMAL, "host_session": []}, {**MINIMAL, "product": []}]])
@example(frames=[[{**MINIMAL, "since": -2, "active_at": -2, "resumed_at": -2}, {**MINIMAL, "at": 2**63}, MINIMAL]])
@example(frames=[[MINIMAL, {**MINIMAL, "usage": "trial"}, {**MINIMAL, "state": "close"}, [*MINIMAL], "v", None]])
@example(frames=[[{**MINIMAL, "resumed_at": AT, "active_at": AT}, {**MINIMAL, "resumed_at": AT}, MINIMAL]])
def test_the_meter_judges_and_folds_by_columns_as_one_by_one(frames: list[list[Json]]) -> None:
    step, plainly, invalid = MeterStep("log"), UsageFold(), 0
    for frame in frames:  # the first pass meets every account and kind; only the second pass is tallied
        step.take(message(as_text(frame), 0))
    step.drain()
    step.tally()
    for offset, frame in enumerate(frames):
        text = as_text(frame)
        parsed: Json = orjson.loads(text)
        step.take(message(text, offset))
        assert isinstance(parsed, list)
        for judged in map(judge, parsed):
            if isinstance(judged, Heartbeat):
                plainly.add(judged, message(text, offset).received_at)
            else:
                invalid += 1
    facts, tally = facts_of(step.drain().outgoing(PARTITIONS)), step.tally()
    assert facts.days == {(day.session, day.day): day for day in plainly.session_days()}
    assert facts.closes == frozenset(plainly.closes())
    assert (tally.valid, sum(tally.invalid.values())) == (sum(map(len, frames)) - invalid, invalid)


def as_line(value: Json) -> bytes:
    return json.dumps(value).encode()


LINES = st.one_of(
    near_valid().map(as_line),
    ANY_JSON.map(as_line),
    st.sampled_from([b"{", b"\xff", b"no", b"on", b"\x00\x01", b""]),
)


@settings(max_examples=examples(200))
@given(frames=st.lists(st.lists(LINES, min_size=1, max_size=8), min_size=1, max_size=3))
@example(frames=[[b"no", b"on"]])
@example(frames=[[b"\x00\x01", b"\x00\x01"]])
def test_the_meter_judges_lines_by_columns_as_one_by_one(frames: list[list[bytes]]) -> None:
    step, plainly, codes = MeterStep("log"), UsageFold(), Counter[str]()
    for offset, lines in enumerate(frames):
        sent = message(LINES_MARK + b"\n".join(lines), offset)
        step.take(sent)
        decoded = decode(sent.value)
        for heartbeat in decoded.heartbeats:
            plainly.add(heartbeat, sent.received_at)
        codes.update(invalid.reason.code for invalid in decoded.invalid)
        assert len(decoded.heartbeats) + len(decoded.invalid) == len(lines)
    facts, tally = facts_of(step.drain().outgoing(PARTITIONS)), step.tally()
    assert facts.days == {(day.session, day.day): day for day in plainly.session_days()}
    assert tally.invalid == codes


@given(value=st.binary(max_size=300))
@example(value=b"[" * 1_024 + b"]" * 1_024)
@example(value=b'{"v":' + b"[" * 1_023 + b"]" * 1_023 + b"}")
@example(value=b'{"v":1e400}')
def test_arbitrary_bytes_never_raise(value: bytes) -> None:
    decoded = decode(value)
    assert all(invalid.reason.code in DEAD_LETTER_CODES for invalid in decoded.invalid)
    assert all(isinstance(heartbeat, Heartbeat) for heartbeat in decoded.heartbeats)


@given(members=st.lists(ANY_JSON | near_valid(), max_size=8))
def test_every_member_of_a_frame_is_a_heartbeat_or_a_dead_letter(members: list[Json]) -> None:
    text, _ = as_read(members)
    decoded = decode(text)
    assert len(decoded.heartbeats) + len(decoded.invalid) == len(members)
    indexes = [invalid.index for invalid in decoded.invalid]
    assert indexes == sorted(set(indexes))
    assert all(0 <= index < len(members) <= FRAME_HEARTBEATS_MAX for index in indexes)


@given(members=st.lists(ANY_JSON.filter(lambda value: not isinstance(value, list)) | near_valid(), max_size=6))
def test_a_member_is_judged_the_same_alone_and_in_a_frame(members: list[Json]) -> None:
    framed = decode(as_read(members)[0])
    alone = [decode(as_read(member)[0]) for member in members]
    assert framed.heartbeats == [heartbeat for decoded in alone for heartbeat in decoded.heartbeats]
    assert [invalid.reason for invalid in framed.invalid] == [
        invalid.reason for decoded in alone for invalid in decoded.invalid
    ]


@settings(max_examples=examples(500))
@given(member=near_valid())
@example(member={**MINIMAL, "at": 1651569060000.0})
@example(member={**MINIMAL, "v": 1.0})
@example(member={**MINIMAL, "v": True})
@example(member={**MINIMAL, "user": "jana\n"})
@example(member={**MINIMAL, "resumed_at": AT, "active_at": None})
@example(member={**MINIMAL, "resumed_at": None, "active_at": None, "since": None})
def test_the_schema_with_its_stated_order_and_the_codec_accept_the_same(member: dict[str, Json]) -> None:
    text, parsed = as_read(member)
    assert isinstance(parsed, dict)
    by_schema = HEARTBEAT.is_valid(parsed) and keeps_the_stated_order(parsed)
    assert bool(decode(text).heartbeats) == by_schema
    assert FRAME.is_valid(parsed) == HEARTBEAT.is_valid(parsed)


@given(value=ANY_JSON)
def test_schema_and_codec_refuse_values_that_are_neither_objects_nor_arrays(value: Json) -> None:
    text, parsed = as_read(value)
    if not isinstance(parsed, dict | list):
        assert not FRAME.is_valid(parsed)
        assert decode(text).heartbeats == []


@given(text=st.text(max_size=20))
@example(text="\u0345\u0301\u1fb3")
@example(text="ß İ ΐ ﬃ ǰ ŉ")
def test_folding_a_name_is_idempotent_and_independent_of_its_normal_form(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(normalize("NFD", text)) == fold(normalize("NFC", text)) == fold(text)


@given(value=ANY_JSON, depth=st.integers(0, 1_000))
def test_json_survives_a_round_trip_at_any_depth(value: Json, depth: int) -> None:
    _, parsed = as_read(value)
    inner = orjson.dumps(parsed)
    deep = b'[{"a":' * (depth // 2) + inner + b"},1]" * (depth // 2)
    assert json_bytes(orjson.loads(deep)) == deep
