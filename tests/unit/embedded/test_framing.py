"""Lines become frames: nothing is lost, and members have their file and line."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.agents.consuming import Message
from pipeline.codec.json_text import Json
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, FRAME_HEARTBEATS_MAX, LINES_MARK, decode
from pipeline.codec.topics.message_keys import encode_key
from pipeline.embedded.framing import FRAME_BYTES, OVERSIZE_BYTES_KEPT, Block, Framer, Line
from pipeline.kafka.headers import LINES_HEADER, SOURCE_HEADER
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, topic
from tests.support.agents.step_messages import message, metered
from tests.support.evidence.frame_members import MINIMAL, with_fields
from tests.support.laws import examples

pytestmark = pytest.mark.slow

PARTITIONS = 4
HEARTBEAT = orjson.dumps(MINIMAL)
IMPORTING = encode_key("importing", "")


def framed(*lines: Line) -> list[Outgoing]:
    return list(Framer("importing", PARTITIONS).of_lines(lines))


def framed_blocks(*blocks: Block) -> list[Outgoing]:
    return list(Framer("importing", PARTITIONS).of_blocks(blocks))


def of_file(*contents: bytes, source: str = "beats.ndjson") -> list[Line]:
    return [(source, number, content) for number, content in enumerate(contents, 1)]


def header(message: Outgoing, name: str) -> bytes:
    return dict(message.headers)[name]


def source(message: Outgoing) -> str:
    return header(message, "source").decode()


def lines(message: Outgoing) -> list[int]:
    numbers: list[int] = orjson.loads(header(message, "lines"))
    return numbers


def beat(number: int) -> bytes:
    return orjson.dumps(with_fields(session=f"s{number}", user=f"user{number % 40}"))


def sessions(*messages: Outgoing) -> list[str]:
    return [heartbeat.session for sent in messages for heartbeat in decode(sent.value).heartbeats]


def codes(*messages: Outgoing) -> list[str]:
    return [invalid.reason.code for sent in messages for invalid in decode(sent.value).invalid]


def too_many(member: Json) -> bytes:
    """A line with an array of equal members beyond the limits of a frame."""
    return orjson.dumps([member] * 10_001)


def test_a_block_of_a_file_is_a_frame_as_it_is() -> None:
    text = b"\n".join(map(beat, range(600)))
    [sent] = framed_blocks(Block("beats.ndjson", 41, text))
    assert (sent.topic, sent.key, sent.value) == (HEARTBEATS, IMPORTING, LINES_MARK + text)
    assert (source(sent), lines(sent)) == ("beats.ndjson", list(range(41, 641)))
    assert sessions(sent) == [f"s{number}" for number in range(600)]


@pytest.mark.parametrize("line", [b"", b" \t", b"[]", b' [{"account":"acme"}]', b"17", HEARTBEAT + b"\r"])
def test_lines_of_any_kind_in_a_block_keep_their_numbers(line: bytes) -> None:
    messages = framed_blocks(Block("beats.ndjson", 7, b"\n".join((HEARTBEAT, line, HEARTBEAT))))
    numbers = sorted(number for sent in messages for number in lines(sent))
    assert numbers == ([7, 8, 9] if line.strip() else [7, 9])
    assert len(sessions(*messages)) == (3 if line.startswith(HEARTBEAT) else 2)


def test_frames_go_over_the_partitions_in_turn() -> None:
    blocks = [Block("beats.ndjson", number, beat(number)) for number in range(1, 18)]
    turns = [sent.partition for sent in framed_blocks(*blocks)]
    assert turns == [0, 1, 2, 3] * 4 + [0]


def test_lines_are_counted_but_for_blank_lines() -> None:
    framer = Framer("importing", PARTITIONS)
    assert list(framer.of_blocks([Block("a", 1, b"{}\n{}"), Block("a", 3, b"{}\n\n[]"), Block("a", 6, b"x")]))
    assert framer.lines == 5
    assert list(framer.of_lines([("b", 1, b"{}"), ("b", 2, b" ")]))
    assert framer.lines == 6


def test_a_frame_has_members_of_a_single_source() -> None:
    mixed = [(f"log{number % 2}", number, beat(number)) for number in range(1, 21)]
    in_turn = [(f"log{number // 11}", number, beat(number)) for number in range(1, 21)]
    for read in (mixed, in_turn):
        messages = framed(*read)
        assert [(source(sent), line) for sent in messages for line in lines(sent)] == [
            (name, number) for name, number, _ in read
        ]
        assert all(len(lines(sent)) == len(decode(sent.value).heartbeats) for sent in messages)
    assert len(framed(*in_turn)) == 2


def test_a_frame_stays_within_its_limits_of_bytes_and_heartbeats() -> None:
    long = [orjson.dumps({**MINIMAL, "note": "x" * 100_000, "session": str(number)}) for number in range(9)]
    messages = framed(*of_file(*long))
    assert [len(decode(sent.value).heartbeats) for sent in messages] == [2, 2, 2, 2, 1]
    assert max(len(sent.value) for sent in messages) <= FRAME_BYTES
    for short in (framed(*of_file(*[b"{}"] * 10_001)), framed_blocks(Block("a", 1, b"\n".join([b"{}"] * 10_001)))):
        assert [len(lines(sent)) for sent in short] == [FRAME_HEARTBEATS_MAX, 1]
        assert codes(*short) == ["missing_field"] * 10_001


@pytest.mark.parametrize(
    ("members", "account"),
    [
        ([{"account": "acme", "user": "jana"}, {}], "acme"),
        ([{}, {"account": "acme"}], "importing"),
        ([{"account": ""}], "importing"),
        ([{"account": 7}], "importing"),
        ([{"account": "x" * 200}], "x" * 200),
        ([{"account": "x" * 201}], "importing"),
        ([1, None], "importing"),
        ([], "importing"),
    ],
)
def test_an_array_within_the_limits_is_sent_unchanged_with_the_key_of_its_first_member(
    members: list[Json], account: str
) -> None:
    content = b" " + orjson.dumps(members)
    [sent] = framed(*of_file(b"", content))
    assert (sent.value, sent.key, lines(sent)) == (content, encode_key(account, ""), [2])


def test_a_very_long_name_does_not_make_a_message_too_large() -> None:
    limit = int(topic(HEARTBEATS, "production").config["max.message.bytes"])
    for name in ("account", "user"):
        content = orjson.dumps({name: "x" * 5_000_000})
        for line in (content, b"[%s]" % content, b"[%s,%s]" % (content, content)):
            for sent in framed(*of_file(line)):
                assert len(sent.key or b"") + len(sent.value) < limit
                assert codes(sent) == ["frame_too_large"]


def test_an_array_of_too_many_members_is_split_without_loss() -> None:
    members: list[Json] = [with_fields(session=str(number)) for number in range(10_001)]
    messages = framed(*of_file(HEARTBEAT, orjson.dumps(members)))
    assert sessions(*messages) == ["s1", *(str(number) for number in range(10_001))]
    assert [number for sent in messages for number in lines(sent)] == [1] + [2] * 10_001


def test_an_array_of_too_many_bytes_is_split() -> None:
    member = {**MINIMAL, "note": "x" * 1_000}
    content = orjson.dumps([member] * (FRAME_BYTES_MAX // len(orjson.dumps(member)) + 1))
    assert len(sessions(*framed(*of_file(content)))) == len(orjson.loads(content))


@pytest.mark.parametrize(
    ("member", "code"),
    [(None, "empty"), (1, "wrong_type"), ("x", "wrong_type"), ([], "wrong_type"), ([dict(MINIMAL)], "wrong_type")],
)
def test_members_of_a_split_array_are_judged_as_in_an_unsplit_frame(member: Json, code: str) -> None:
    messages = framed(*of_file(too_many(member)))
    assert Counter(codes(*messages)) == {code: 10_001}
    assert not sessions(*messages)


def test_a_member_that_is_too_long_for_a_shared_frame_is_sent_alone() -> None:
    long = {**MINIMAL, "note": "x" * 950_000}
    endless = {**MINIMAL, "note": "x" * FRAME_BYTES_MAX}
    messages = framed(*of_file(orjson.dumps([dict(MINIMAL), long, endless, dict(MINIMAL)])))
    assert Counter(codes(*messages)) == {"frame_too_large": 1}
    assert len(sessions(*messages)) == 3
    assert {number for sent in messages for number in lines(sent)} == {1}


@pytest.mark.parametrize("depth", [255, 1_000, 1_022, 1_023])
def test_a_deep_heartbeat_does_not_affect_its_neighbours(depth: int) -> None:
    deep = b'%s,"note":%s%s}' % (HEARTBEAT[:-1], b"[" * depth, b"]" * depth)
    messages = framed_blocks(Block("beats.ndjson", 1, b"\n".join((HEARTBEAT, deep, HEARTBEAT))))
    assert codes(*messages) == []
    assert len(sessions(*messages)) == 3


@pytest.mark.parametrize("depth", [255, 1_000, 1_022])
def test_deep_members_of_a_split_array_are_sent_once_each(depth: int) -> None:
    deep = b'%s,"note":%s%s}' % (HEARTBEAT[:-1], b"[" * depth, b"]" * depth)
    content = b"[%s]" % b",".join([deep] * (FRAME_BYTES_MAX // len(deep) + 1))
    messages = framed(*of_file(content))
    assert sum(len(sent.value) for sent in messages) < 1.01 * len(content)
    assert len(sessions(*messages)) == content.count(b'"v":1')


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"v":1', "bad_json"),
        (b'{"user":"\xff"}', "bad_encoding"),
        (b"[" * 2_000 + b"]" * 2_000, "bad_json"),
        (b'{"at":NaN}', "bad_json"),
        (b"MSTN 10.17 started", "bad_json"),
        (b"{},{}", "bad_json"),
        (LINES_MARK[:1] + HEARTBEAT, "bad_json"),
    ],
)
def test_a_line_that_is_not_json_harms_no_neighbour_and_keeps_its_bytes(content: bytes, code: str) -> None:
    [sent] = framed(*of_file(HEARTBEAT, content, HEARTBEAT))
    assert (source(sent), lines(sent)) == ("beats.ndjson", [1, 2, 3])
    [broken] = decode(sent.value).invalid
    assert (broken.index, broken.member, broken.reason.code) == (1, content, code)
    assert len(sessions(sent)) == 2


@pytest.mark.parametrize("content", [b"x" * 3_000_000, b'{"account":"acme","note":"%s"}' % (b"x" * 3_000_000)])
def test_an_oversize_line_is_cut_to_the_limit_of_the_topic(content: bytes) -> None:
    for [sent] in (framed(*of_file(content)), framed_blocks(Block("beats.ndjson", 1, content))):
        assert (sent.value, lines(sent)) == (content[:OVERSIZE_BYTES_KEPT], [1])
        assert codes(sent) == ["frame_too_large"]


@pytest.mark.parametrize(
    ("length", "code"),
    [
        (FRAME_BYTES_MAX - 2, []),
        (FRAME_BYTES_MAX - 1, []),
        (FRAME_BYTES_MAX, []),
        (FRAME_BYTES_MAX + 1, ["frame_too_large"]),
    ],
)
def test_a_line_may_be_as_long_as_a_message(length: int, code: list[str]) -> None:
    content = b'%s,"note":"%s"}' % (HEARTBEAT[:-1], b"x" * (length - len(HEARTBEAT) - len(b',"note":""')))
    [sent] = framed(*of_file(content))
    assert len(content) == length
    assert (len(sessions(sent)), codes(sent)) == (0 if code else 1, code)


def test_a_source_name_that_is_not_utf_8_keeps_its_bytes() -> None:
    name = b"beats-\xff.ndjson".decode("utf-8", "surrogateescape")
    [sent] = framed(*of_file(HEARTBEAT, source=name))
    assert header(sent, "source") == b"beats-\xff.ndjson"


MEMBERS = st.one_of(
    st.integers(0, 5).map(lambda number: with_fields(session=str(number), user=f"user{number}")),
    st.sampled_from(
        [None, 1, "x", {}, {"account": 7}, {"account": "acme"}, with_fields(at=True), with_fields(account="x" * 300)]
    ),
)
CONTENTS = st.one_of(
    MEMBERS.map(orjson.dumps),
    st.lists(MEMBERS, max_size=4).map(orjson.dumps),
    st.sampled_from([b"{", b"\xff", b"[[]]", b'{"a":[{}', b'{}]},{"b":1}', b"\x1e", b"[", b"]"]),
)


@settings(max_examples=examples(60))
@given(read=st.lists(st.tuples(st.sampled_from(["a.log", "b.log"]), st.integers(1, 10**6), CONTENTS), max_size=20))
def test_framing_does_not_change_how_a_line_is_judged(read: list[Line]) -> None:
    alone = [message(content, key=key_alone(content), headers=place(name, number)) for name, number, content in read]
    imported = [message(sent.value, key=sent.key, headers=sent.headers) for sent in framed(*read)]
    assert judged(imported) == judged(alone)


@settings(max_examples=examples(60))
@given(
    files=st.lists(st.lists(CONTENTS | st.sampled_from([b"", b"\t"]), min_size=1, max_size=12), max_size=4),
    end=st.sampled_from([b"\n", b"\r\n"]),
)
def test_lines_in_blocks_are_judged_as_line_by_line(files: list[list[bytes]], end: bytes) -> None:
    blocks = [Block(f"{ordinal}.log", 5, end.join(contents)) for ordinal, contents in enumerate(files)]
    read = [
        (f"{ordinal}.log", number, content)
        for ordinal, contents in enumerate(files)
        for number, content in enumerate(contents, 5)
    ]
    by_block, by_line = (
        [message(sent.value, key=sent.key, headers=sent.headers) for sent in messages]
        for messages in (framed_blocks(*blocks), framed(*read))
    )
    assert judged(by_block) == judged(by_line)


def key_alone(content: bytes) -> bytes:
    """The key of a line that is sent alone: an array's is that of its first member's account, if it has any."""
    try:
        parsed = orjson.loads(content)
    except ValueError:
        return IMPORTING
    first = parsed[0] if isinstance(parsed, list) and parsed else None
    account = first.get("account") if isinstance(first, dict) else None
    return encode_key(account, "") if isinstance(account, str) and len(account) <= 200 else IMPORTING


def place(name: str, number: int) -> tuple[tuple[str, bytes], ...]:
    return ((SOURCE_HEADER, name.encode()), (LINES_HEADER, orjson.dumps([number])))


def judged(messages: list[Message]) -> tuple[Counter[object], Counter[object]]:
    """Every heartbeat, and every dead letter of the meter with its account, file and line."""
    heartbeats = Counter[object](heartbeat for sent in messages for heartbeat in decode(sent.value).heartbeats)
    letters = [
        dead_letter_messages.decode(outgoing.value)
        for outgoing in metered([messages])
        if outgoing.topic == HEARTBEATS_DLQ
    ]
    return heartbeats, Counter[object](
        (letter.account, letter.code, letter.field, letter.source, letter.line) for letter in letters
    )
