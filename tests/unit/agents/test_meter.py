"""The meter's step: its outputs do not depend on where checkpoints are made."""

from __future__ import annotations

from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.agents.consuming import Message
from pipeline.agents.meter import MeterStep
from pipeline.codec.json_text import Json
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.heartbeats import decode
from pipeline.codec.topics.message_keys import encode_key
from pipeline.codec.topics.usage_frames import Delivery
from pipeline.kafka.headers import LINES_HEADER, PROBLEM_HEADER, SOURCE_HEADER
from pipeline.kafka.topics import HEARTBEATS_DLQ, USAGE
from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.model.instants import DAY_MS, HOUR_MS
from tests.support.agents.step_messages import LOG, PARTITIONS, Facts, facts_of, message, metered
from tests.support.evidence.frame_members import AT, MINIMAL, OPENED_AT, with_fields

KEY = SessionKey("acme", "MSTN", "", "production", "ws-0123", "jana@acme.example", "s1")

MEMBERS: st.SearchStrategy[Json] = st.one_of(
    st.builds(
        lambda account, session, hours, state, times: with_fields(
            account=account,
            session=session,
            state=state,
            at=AT + hours * HOUR_MS,
            since=AT + max(0, hours - 30) * HOUR_MS,
            opened_at=OPENED_AT - times[0],
            resumed_at=OPENED_AT + times[1],
            active_at=AT - times[2],
        ),
        account=st.sampled_from(["acme", "studio"]),
        session=st.sampled_from(["s1", "s2"]),
        hours=st.integers(0, 60),
        state=st.sampled_from(["open", "beat", "close"]),
        times=st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)),
    ),
    st.sampled_from([None, 7, {"account": "acme"}, with_fields(at=True)]),
)
VALUES = st.one_of(
    MEMBERS.map(orjson.dumps),
    st.lists(MEMBERS, max_size=5).map(orjson.dumps),
    st.sampled_from([b"", b"{", b"\xff"]),
)
MESSAGES = st.lists(VALUES, max_size=8).map(
    lambda values: [message(value, offset, partition=offset % 3) for offset, value in enumerate(values)]
)


def cut(messages: list[Message], at: set[int]) -> list[list[Message]]:
    """The messages in order, with a checkpoint before each of these positions."""
    edges = [0, *sorted(edge for edge in at if edge < len(messages)), len(messages)]
    return [messages[start:end] for start, end in pairwise(edges)]


def letters_of(*messages: Message) -> list[DeadLetter]:
    return [
        dead_letter_messages.decode(outgoing.value)
        for outgoing in metered([messages])
        if outgoing.topic == HEARTBEATS_DLQ
    ]


def letter_of(sent: Message) -> DeadLetter:
    [letter] = letters_of(sent)
    return letter


@given(messages=MESSAGES, at=st.sets(st.integers(0, 8)))
def test_the_facts_do_not_depend_on_where_checkpoints_are_made(messages: list[Message], at: set[int]) -> None:
    assert facts_of(metered(cut(messages, at))) == facts_of(metered([messages]))


@given(messages=MESSAGES, data=st.data())
def test_the_facts_do_not_depend_on_order_and_repetition_of_messages(
    messages: list[Message], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(messages)) if messages else st.just([]))
    shuffled = data.draw(st.permutations(messages + again))
    at = data.draw(st.sets(st.integers(0, 16)))
    assert facts_of(metered(cut(shuffled, at))) == facts_of(metered([messages]))


@given(messages=MESSAGES)
def test_every_member_is_counted_as_delivered_or_is_a_dead_letter(messages: list[Message]) -> None:
    facts = facts_of(metered([messages]))
    decoded = [decode(sent.value) for sent in messages]
    assert sum(delivery.heartbeats for _, delivery in facts.deliveries) == sum(len(each.heartbeats) for each in decoded)
    assert len(facts.letters) == sum(len(each.invalid) for each in decoded)


def test_heartbeats_become_session_days_of_their_account_with_times_of_receipt() -> None:
    first = message([with_fields(state="open"), with_fields(account="studio")], 41, partition=3)
    later = message(with_fields(at=AT + 1, active_at=AT, resumed_at=AT, version="10.1"), 44, partition=3)
    assert facts_of(metered([[first, later]])) == Facts(
        days={
            (KEY, AT // DAY_MS): SessionDay(
                KEY,
                AT // DAY_MS,
                OPENED_AT,
                AT + 1,
                1 << AT % DAY_MS // 600_000,
                {OPENED_AT: AT, AT: AT},
                "10.1",
                AT + 1_041,
                AT + 1_044,
            ),
            (KEY._replace(account="studio"), AT // DAY_MS): SessionDay(
                KEY._replace(account="studio"),
                AT // DAY_MS,
                OPENED_AT,
                AT,
                1 << AT % DAY_MS // 600_000,
                {OPENED_AT: AT},
                "",
                AT + 1_041,
                AT + 1_041,
            ),
        },
        closes=frozenset(),
        deliveries=frozenset(
            {
                ("acme", Delivery(LOG, "heartbeats", 3, 41, 1)),
                ("studio", Delivery(LOG, "heartbeats", 3, 41, 1)),
                ("acme", Delivery(LOG, "heartbeats", 3, 44, 1)),
            }
        ),
        letters=frozenset(),
    )


def test_a_bare_close_is_counted_as_delivered_and_adds_no_evidence() -> None:
    facts = facts_of(metered([[message(with_fields(state="close"))]]))
    assert facts.days == {}
    assert facts.closes == {SessionClose(KEY, AT)}
    assert facts.deliveries == {("acme", Delivery(LOG, "heartbeats", 0, 0, 1))}


def test_usage_is_written_by_account_and_dead_letters_last() -> None:
    frame: Json = [None, with_fields(account="studio"), dict(MINIMAL)]
    written = metered([[message(frame, key=encode_key("studio", "jana"))]])
    assert [(outgoing.topic, outgoing.key) for outgoing in written] == [
        (USAGE, encode_key("acme")),
        (USAGE, encode_key("studio")),
        (HEARTBEATS_DLQ, encode_key("studio", "jana")),
    ]


def test_a_drain_returns_each_output_once() -> None:
    step = MeterStep(LOG)
    step.take(message([dict(MINIMAL), None]))
    assert len(step.drain().outgoing(PARTITIONS)) == 2
    assert step.drain().outgoing(PARTITIONS) == []


def test_the_id_of_a_dead_letter_is_its_place_and_its_member_is_kept_whole() -> None:
    bad = with_fields(state="paused", note="é")
    sent = message([dict(MINIMAL), bad], 41, partition=3, key=b"key")
    assert letters_of(sent) == [
        DeadLetter(
            log=LOG,
            topic="heartbeats",
            partition=3,
            offset=41,
            index=1,
            account="acme",
            code="unknown_state",
            field="state",
            detail="'paused' is none of beat, close, open",
            member=orjson.dumps(bad).decode(),
            raw=b"",
            received_at=AT + 1_041,
            source="",
            line=0,
        )
    ]
    assert letters_of(sent) == letters_of(sent)


@pytest.mark.parametrize("key", [None, b"", b"acme", encode_key("acme", "jana")])
def test_a_dead_letter_has_the_key_of_its_source_message(key: bytes | None) -> None:
    [written] = metered([[message(None, key=key)]])
    assert written.key == key


@pytest.mark.parametrize("value", [None, b""])
def test_a_message_without_a_value_is_a_dead_letter(value: bytes | None) -> None:
    letter = letter_of(Message("heartbeats", 0, 0, None, value, (), AT))
    assert (letter.code, letter.member, letter.raw) == ("empty", None, b"")


@pytest.mark.parametrize(
    ("value", "key", "account"),
    [
        ({"account": "named"}, encode_key("keyed", "jana"), "named"),
        ({"account": "named"}, None, "named"),
        ({"account": ""}, encode_key("keyed", "jana"), "keyed"),
        ({"account": 7}, encode_key("keyed"), "keyed"),
        (None, encode_key("keyed", ""), "keyed"),
        (b"{", encode_key("keyed", ""), "keyed"),
        (b"{", encode_key("", "jana"), ""),
        (b"{", b"keyed", ""),
        (b"{", b"", ""),
        (b"{", None, ""),
    ],
)
def test_a_dead_letter_belongs_to_the_account_in_its_member_else_in_its_key(
    value: Json | bytes, key: bytes | None, account: str
) -> None:
    assert letter_of(message(value, key=key)).account == account


@pytest.mark.parametrize(
    ("header", "lines"),
    [
        (b"[7,9,12]", [7, 9, 12]),
        (b"[7]", [7, 7, 7]),
        (b"[7,9]", [7, 9, 9]),
        (b"[]", [0, 0, 0]),
        (b"7", [0, 0, 0]),
        (b"{}", [0, 0, 0]),
        (b'["7",-1,true,1.5,null]', [0, 0, 0]),
        (b"", [0, 0, 0]),
        (b"[7", [0, 0, 0]),
        (b"\xff", [0, 0, 0]),
        (None, [0, 0, 0]),
    ],
)
def test_a_dead_letter_names_the_line_of_its_member(header: bytes | None, lines: list[int]) -> None:
    headers = () if header is None else ((LINES_HEADER, header),)
    letters = letters_of(message([None, None, None], headers=headers))
    assert [letter.line for letter in letters] == lines


def test_a_dead_letter_names_its_file_and_the_readers_reason() -> None:
    headers = ((SOURCE_HEADER, "žurnál.log".encode()), (PROBLEM_HEADER, b"no time stamp"), (LINES_HEADER, b"[3]"))
    letter = letter_of(message(b"MSTN", headers=headers))
    assert (letter.source, letter.line, letter.code, letter.detail) == ("žurnál.log", 3, "bad_json", "no time stamp")
    assert letter_of(message(b"MSTN", headers=((SOURCE_HEADER, b"\xff.log"),))).source == "\ufffd.log"


def test_the_letters_of_a_frame_of_deep_members_are_no_larger_than_the_frame() -> None:
    frame = b"[%s]" % b",".join([b"[" * 300 + b"]" * 300] * 1_700)
    written = metered([[message(frame)]])
    envelope = 400
    assert len(written) == 1_700
    assert sum(len(outgoing.value) for outgoing in written) < len(frame) + 1_700 * envelope


def test_a_dead_letter_always_fits_into_its_topic() -> None:
    numbers = b'{"v":1,"noise":[' + b",".join([b"1e15"] * 200_000) + b"]}"
    endless = message(numbers, key=encode_key("acme", "x" * 1_000_000), headers=((SOURCE_HEADER, b"f" * 1_000_000),))
    [written] = metered([[endless]])
    assert len(written.value) + len(written.key or b"") < 4 * 1024 * 1024
    kept = dead_letter_messages.decode(written.value)
    assert (kept.member, kept.raw) == (None, numbers)
