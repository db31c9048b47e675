"""Lines become frames: nothing is lost, messages have the right key, and members their file and line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.agents.consuming import Message
from pipeline.codec.flexnet.log_lines import BrokenLine
from pipeline.codec.json_text import Json
from pipeline.codec.topics import dead_letter_messages, denial_messages
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, decode
from pipeline.codec.topics.message_keys import decode_key, encode_key
from pipeline.embedded.importer import (
    FRAME_BYTES,
    FRAME_HEARTBEATS,
    OVERSIZE_BYTES_KEPT,
    WRITE_MESSAGES,
    Framer,
    Line,
    denial_message,
    import_broken,
    import_heartbeats,
)
from pipeline.kafka.headers import CODE_HEADER, LINES_HEADER, PROBLEM_HEADER, SOURCE_HEADER
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import DENIALS, HEARTBEATS, HEARTBEATS_DLQ, partition_of, topic
from tests.support.agents.step_messages import message, metered
from tests.support.evidence.frame_members import AT, MINIMAL, with_fields
from tests.support.laws import examples

pytestmark = pytest.mark.slow

PARTITIONS = 4
HEARTBEAT = orjson.dumps(MINIMAL)


class Recorder(Producer):
    """A producer that keeps the messages of each write."""

    def __init__(self) -> None:
        self.writes: list[list[Outgoing]] = []

    async def write(self, messages: Iterable[Outgoing]) -> None:
        self.writes.append(list(messages))


def framed(*lines: Line, account: str = "importing") -> list[Outgoing]:
    framer = Framer(account, PARTITIONS)
    return [message for line in lines for message in framer.add(line)] + list(framer.rest())


def of_file(*contents: bytes, source: str = "beats.ndjson") -> list[Line]:
    return [(source, number, content) for number, content in enumerate(contents, 1)]


def header(message: Outgoing, name: str) -> bytes:
    return dict(message.headers)[name]


def source(message: Outgoing) -> str:
    return header(message, "source").decode()


def lines(message: Outgoing) -> list[int]:
    numbers: list[int] = orjson.loads(header(message, "lines"))
    return numbers


def beat(number: int, user: str = "jana") -> bytes:
    return orjson.dumps(with_fields(session=f"s{number}", user=user))


def too_many(member: Json) -> bytes:
    """A line with an array of equal members beyond the limits of a frame."""
    return orjson.dumps([member] * 10_001)


def test_a_frame_has_250_heartbeats_of_a_partition() -> None:
    messages = framed(*of_file(*map(beat, range(600))))
    assert [len(decode(sent.value).heartbeats) for sent in messages] == [250, 250, 100]
    assert [heartbeat.session for sent in messages for heartbeat in decode(sent.value).heartbeats] == [
        f"s{number}" for number in range(600)
    ]
    assert [lines(sent) for sent in messages] == [
        list(range(1, 251)),
        list(range(251, 501)),
        list(range(501, 601)),
    ]
    assert {(sent.topic, source(sent)) for sent in messages} == {(HEARTBEATS, "beats.ndjson")}


def test_the_members_of_a_frame_have_the_partition_of_its_key() -> None:
    users = [f"user{number}" for number in range(40)]
    messages = framed(*of_file(*(beat(number, users[number % 40]) for number in range(2_000))))
    assert len(messages) >= 2_000 / FRAME_HEARTBEATS
    for sent in messages:
        assert sent.key is not None
        of_its_key = partition_of(sent.key, PARTITIONS)
        for heartbeat in decode(sent.value).heartbeats:
            assert partition_of(encode_key(heartbeat.account, heartbeat.user), PARTITIONS) == of_its_key
    assert sum(len(decode(sent.value).heartbeats) for sent in messages) == 2_000


def test_a_frame_stays_within_its_limit_of_bytes() -> None:
    long = [orjson.dumps({**MINIMAL, "note": "x" * 100_000, "session": str(number)}) for number in range(30)]
    messages = framed(*of_file(*long))
    assert [len(decode(sent.value).heartbeats) for sent in messages] == [8, 8, 8, 6]
    assert max(len(sent.value) for sent in messages) <= FRAME_BYTES + 2


@pytest.mark.parametrize(
    ("member", "named"),
    [
        ({"account": "acme", "user": "jana"}, ("acme", "jana")),
        ({"account": "acme"}, ("acme", "")),
        ({}, ("importing", "")),
        ({"account": None, "user": None}, ("importing", "")),
        ({"account": "", "user": ""}, ("importing", "")),
        ({"account": 7, "user": ["jana"]}, ("importing", "")),
        ({"account": "x" * 200, "user": "y" * 200}, ("x" * 200, "y" * 200)),
        ({"account": "x" * 201, "user": "y" * 201}, ("importing", "")),
    ],
)
def test_a_key_is_account_and_user_if_both_are_valid_names(member: Json, named: tuple[str, str]) -> None:
    [message] = framed(*of_file(orjson.dumps(member)))
    assert message.key == encode_key(*named)


def test_a_very_long_name_does_not_make_a_message_too_large() -> None:
    limit = int(topic(HEARTBEATS, "production").config["max.message.bytes"])
    for name in ("account", "user"):
        content = orjson.dumps({name: "x" * 5_000_000})
        for line in (content, b"[%s]" % content, b"[%s,%s]" % (content, content)):
            for sent in framed(*of_file(line)):
                assert len(sent.key or b"") + len(sent.value) < limit
                assert {invalid.reason.code for invalid in decode(sent.value).invalid} == {"frame_too_large"}


def test_an_array_within_the_limits_is_sent_unchanged() -> None:
    content = b'[ {"account":"acme","user":"jana"}, null,1 ]'
    [message] = framed(*of_file(b"", content)[1:])
    assert (message.value, message.key, lines(message)) == (content, encode_key("acme", "jana"), [2])


@pytest.mark.parametrize("content", [b"[]", b"[null]", b"[1]", b"null", b"1", b'"x"', b"true"])
def test_json_without_an_account_is_sent_alone_under_the_importing_account(content: bytes) -> None:
    [message] = framed(*of_file(content))
    assert (message.value, message.key, lines(message)) == (content, encode_key("importing", ""), [1])


def test_an_array_of_too_many_members_is_split_without_loss() -> None:
    members: list[Json] = [with_fields(session=str(number)) for number in range(10_001)]
    messages = framed(*of_file(HEARTBEAT, orjson.dumps(members)))
    read = [heartbeat.session for sent in messages for heartbeat in decode(sent.value).heartbeats]
    assert read == ["s1", *(str(number) for number in range(10_001))]
    assert {len(decode(sent.value).heartbeats) for sent in messages[:-1]} == {FRAME_HEARTBEATS}
    assert lines(messages[0]) == [1] + [2] * 249
    assert lines(messages[1]) == [2] * 250


def test_an_array_of_too_many_bytes_is_split() -> None:
    member = {**MINIMAL, "note": "x" * 1_000}
    content = orjson.dumps([member] * (FRAME_BYTES_MAX // len(orjson.dumps(member)) + 1))
    messages = framed(*of_file(content))
    assert sum(len(decode(sent.value).heartbeats) for sent in messages) == len(orjson.loads(content))


@pytest.mark.parametrize(
    ("member", "code"),
    [(None, "empty"), (1, "wrong_type"), ("x", "wrong_type"), ([], "wrong_type"), ([dict(MINIMAL)], "wrong_type")],
)
def test_members_of_a_split_array_are_judged_as_in_an_unsplit_frame(member: Json, code: str) -> None:
    decoded = [decode(sent.value) for sent in framed(*of_file(too_many(member)))]
    assert Counter(invalid.reason.code for each in decoded for invalid in each.invalid) == {code: 10_001}
    assert not any(each.heartbeats for each in decoded)


def test_a_member_that_is_too_long_for_a_shared_frame_is_sent_alone() -> None:
    long = {**MINIMAL, "note": "x" * 950_000}
    endless = {**MINIMAL, "note": "x" * FRAME_BYTES_MAX}
    messages = framed(*of_file(orjson.dumps([dict(MINIMAL), long, endless, dict(MINIMAL)])))
    assert [orjson.loads(sent.value).get("note", "")[:1] for sent in messages[:2]] == ["x", "x"]
    assert len(decode(messages[0].value).heartbeats) == 1
    assert [invalid.reason.code for invalid in decode(messages[1].value).invalid] == ["frame_too_large"]
    assert len(decode(messages[2].value).heartbeats) == 2
    assert [lines(sent) for sent in messages] == [[1], [1], [1, 1]]


@pytest.mark.parametrize("depth", [255, 1_000, 1_022, 1_023])
def test_a_deep_heartbeat_does_not_affect_its_neighbours(depth: int) -> None:
    deep = b'%s,"note":%s%s}' % (HEARTBEAT[:-1], b"[" * depth, b"]" * depth)
    messages = framed(*of_file(HEARTBEAT, deep, HEARTBEAT))
    assert [invalid.reason for each in messages for invalid in decode(each.value).invalid] == []
    assert sum(len(decode(sent.value).heartbeats) for sent in messages) == 3


@pytest.mark.parametrize("depth", [255, 1_000, 1_022])
def test_deep_members_of_a_split_array_are_sent_once_each(depth: int) -> None:
    deep = b'%s,"note":%s%s}' % (HEARTBEAT[:-1], b"[" * depth, b"]" * depth)
    content = b"[%s]" % b",".join([deep] * (FRAME_BYTES_MAX // len(deep) + 1))
    messages = framed(*of_file(content))
    assert sum(len(sent.value) for sent in messages) < 1.01 * len(content)
    assert sum(len(decode(sent.value).heartbeats) for sent in messages) == content.count(b'"v":1')


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"v":1', "bad_json"),
        (b'{"user":"\xff"}', "bad_encoding"),
        (b"[" * 2_000 + b"]" * 2_000, "bad_json"),
        (b'{"at":NaN}', "bad_json"),
        (b"MSTN 10.17 started", "bad_json"),
    ],
)
def test_a_line_that_is_not_json_is_sent_alone_with_its_file_and_line(content: bytes, code: str) -> None:
    broken, whole = sorted(framed(*of_file(HEARTBEAT, content, HEARTBEAT)), key=lambda sent: len(lines(sent)))
    assert (broken.value, broken.key, source(broken), lines(broken)) == (
        content,
        encode_key("importing", ""),
        "beats.ndjson",
        [2],
    )
    assert [invalid.reason.code for invalid in decode(broken.value).invalid] == [code]
    assert lines(whole) == [1, 3]


@pytest.mark.parametrize("content", [b"x" * 3_000_000, b'{"account":"acme","note":"%s"}' % (b"x" * 3_000_000)])
def test_an_oversize_line_is_cut_to_the_limit_of_the_topic(content: bytes) -> None:
    [message] = framed(*of_file(content))
    assert message.value == content[:OVERSIZE_BYTES_KEPT]
    assert [invalid.reason.code for invalid in decode(message.value).invalid] == ["frame_too_large"]


def test_a_frame_has_members_of_a_single_source() -> None:
    mixed = [(f"log{number % 2}", number, beat(number)) for number in range(1, 21)]
    in_turn = [(f"log{number // 11}", number, beat(number)) for number in range(1, 21)]
    for read in (mixed, in_turn):
        messages = framed(*read)
        assert sorted((source(sent), line) for sent in messages for line in lines(sent)) == sorted(
            (name, number) for name, number, _ in read
        )
        assert all(len(lines(sent)) == len(decode(sent.value).heartbeats) for sent in messages)
    assert len(framed(*in_turn)) == 2


def test_a_source_name_that_is_not_utf_8_keeps_its_bytes() -> None:
    name = b"beats-\xff.ndjson".decode("utf-8", "surrogateescape")
    [message] = framed(*of_file(HEARTBEAT, source=name))
    assert header(message, "source") == b"beats-\xff.ndjson"


def test_blank_lines_are_skipped_but_counted() -> None:
    producer, heard = Recorder(), list[int]()
    contents = of_file(HEARTBEAT, b"", b"  \t", HEARTBEAT, b"\xa0", b"{}")
    count = asyncio.run(import_heartbeats(contents, producer, Framer("acme", 1), heard.append))
    messages = [sent for write in producer.writes for sent in write]
    assert (count, heard) == (4, [4])
    assert sorted(line for sent in messages for line in lines(sent)) == [1, 4, 5, 6]


def test_messages_are_written_in_groups_and_progress_is_reported() -> None:
    producer, heard = Recorder(), list[int]()
    count = asyncio.run(
        import_heartbeats(of_file(*[b"broken"] * 200, HEARTBEAT), producer, Framer("acme", 1), heard.append)
    )
    assert (count, heard) == (201, [WRITE_MESSAGES, 2 * WRITE_MESSAGES, 3 * WRITE_MESSAGES, 201])
    assert [len(write) for write in producer.writes] == [WRITE_MESSAGES] * 3 + [9]


def test_an_empty_file_is_imported() -> None:
    producer, heard = Recorder(), list[int]()
    assert asyncio.run(import_heartbeats([], producer, Framer("acme", 1), heard.append)) == 0
    assert ([sent for write in producer.writes for sent in write], heard) == ([], [0])


def test_a_line_that_a_reader_could_not_read_is_sent_with_code_and_reason() -> None:
    producer = Recorder()
    broken = BrokenLine("lmgrd.log", 7, b"x" * 3_000_000, "unreadable_clock", "no time stamp")
    asyncio.run(import_broken([broken], producer, "acme"))
    [[message]] = producer.writes
    assert (message.topic, decode_key(message.key or b"")) == (HEARTBEATS, ("acme", ""))
    assert (source(message), lines(message)) == ("lmgrd.log", [7])
    assert header(message, PROBLEM_HEADER) == b"no time stamp"
    assert header(message, CODE_HEADER) == b"unreadable_clock"
    assert len(message.value) == OVERSIZE_BYTES_KEPT


def test_a_denial_goes_to_its_topic_with_the_key_of_its_account() -> None:
    denial = Denial("acme", "id", "denied", AT, "MSTN", "jana", "ws", "none free", "lmgrd.log", 3)
    assert denial_message(denial) == Outgoing(DENIALS, encode_key("acme"), denial_messages.encode(denial))


@pytest.mark.parametrize(
    "fields", [{}, {"account": "x" * 300}, {"account": ""}, {"user": "x" * 300}, {"product": "[" * 2_000}]
)
def test_a_heartbeat_that_a_reader_made_is_framed_as_its_line(fields: dict[str, Json]) -> None:
    member = with_fields(**fields)
    framer = Framer("importing", PARTITIONS)
    messages = [*framer.add_heartbeat("lmgrd.log", 7, member), *framer.rest()]
    assert messages == framed(("lmgrd.log", 7, orjson.dumps(member)))


MEMBERS = st.one_of(
    st.integers(0, 5).map(lambda number: with_fields(session=str(number), user=f"user{number}")),
    st.sampled_from(
        [None, 1, "x", {}, {"account": 7}, {"account": "acme"}, with_fields(at=True), with_fields(account="x" * 300)]
    ),
)
CONTENTS = st.one_of(
    MEMBERS.map(orjson.dumps),
    st.lists(MEMBERS, max_size=4).map(orjson.dumps),
    st.sampled_from([b"{", b"\xff", b"[[]]"]),
)


@settings(max_examples=examples(60))
@given(read=st.lists(st.tuples(st.sampled_from(["a.log", "b.log"]), st.integers(1, 10**6), CONTENTS), max_size=20))
def test_framing_does_not_change_how_a_line_is_judged(read: list[Line]) -> None:
    alone = [message(content, key=key_alone(content), headers=place(name, number)) for name, number, content in read]
    imported = [message(sent.value, key=sent.key, headers=sent.headers) for sent in framed(*read)]
    assert judged(imported) == judged(alone)


def key_alone(content: bytes) -> bytes:
    """The key of a line that is sent alone: the account of its first member, if it has any."""
    [sent] = framed(("", 0, content))
    return sent.key or b""


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
