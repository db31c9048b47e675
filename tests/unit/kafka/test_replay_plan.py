"""What a replay of dead letters sends, and what it does not send."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.agents.consuming import Message
from pipeline.agents.meter import MeterStep
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX
from pipeline.codec.topics.letter_ids import id_of, read_id
from pipeline.codec.topics.message_keys import decode_key
from pipeline.kafka.replay_plan import LOG_PREFIX, ReplayPlan, plan_replay
from pipeline.kafka.topics import COMMANDS, CONTRACTS, HEARTBEATS, HEARTBEATS_DLQ
from pipeline.model.instants import EARLIEST_AT, LATEST_AT

VALID: dict[str, Any] = {
    "v": 1, "account": "acme", "product": "MSTN", "machine": "pc1", "user": "jana", "session": "s",
    "opened_at": 1_651_568_460_000, "at": 1_651_568_460_000,
}  # fmt: skip


def letter(offset: int = 0, **more: Any) -> DeadLetter:
    """A dead letter; by default of a member that is valid now."""
    usual = DeadLetter(
        log="main", topic=HEARTBEATS, partition=3, offset=offset, index=0, account="acme", code="unknown_version",
        field="v", detail="", member=orjson.dumps(VALID).decode(), raw=b"", received_at=1, source="", line=0,
    )  # fmt: skip
    return replace(usual, **more)


def whole(raw: bytes, code: str, offset: int = 0) -> DeadLetter:
    return letter(offset, member=None, raw=raw, code=code, field="")


def metered(plan: ReplayPlan) -> list[DeadLetter]:
    """The meter's dead letters for the messages of a plan."""
    step = MeterStep("again")
    for offset, sent in enumerate(plan.messages):
        step.take(Message(sent.topic, 0, offset, sent.key, sent.value, sent.headers, 2))
    return [
        dead_letter_messages.decode(outgoing.value)
        for outgoing in step.drain().letters
        if outgoing.topic == HEARTBEATS_DLQ
    ]


def test_a_member_is_sent_unchanged_under_the_key_of_its_account_and_user() -> None:
    (message,) = plan_replay([letter(account="from the key")]).messages
    assert message.topic == HEARTBEATS
    assert message.value == orjson.dumps(VALID)
    assert message.key is not None
    assert decode_key(message.key) == ("acme", "jana")


@pytest.mark.parametrize("name", [None, 17, "x" * 201, {"a": 1}])
def test_a_member_without_an_account_keeps_the_account_of_its_first_key(name: Any) -> None:
    member = orjson.dumps({**VALID, "account": name, "user": name}).decode()
    plan = plan_replay([letter(member=member, code="missing_field", account="from the key")])
    (message,) = plan.messages
    assert message.key is not None
    assert decode_key(message.key) == ("from the key", "")
    assert [outgoing.account for outgoing in metered(plan)] == ["from the key"]


def test_headers_name_the_dead_letter_and_its_file_and_line() -> None:
    replayed = letter(7, source="beats.ndjson", line=12)
    (message,) = plan_replay([replayed]).messages
    headers = dict(message.headers)
    assert read_id(headers["replays"].decode()) == id_of(replayed)
    (again,) = metered(plan_replay([letter(7, source="beats.ndjson", line=12, member="17")]))
    assert (again.source, again.line) == ("beats.ndjson", 12)
    assert dict(plan_replay([letter()]).messages[0].headers).keys() == {"replays", "received_at"}


@pytest.mark.parametrize("member", ["[1,2,3]", "[]", "17", "null", '"text"', '{"v":2}', "[" * 900 + "]" * 900])
def test_a_member_that_is_still_invalid_becomes_a_dead_letter_with_the_same_member(member: str) -> None:
    again = metered(plan_replay([letter(member=member)]))
    assert [outgoing.member for outgoing in again] == [member]


@pytest.mark.parametrize(
    ("raw", "code"), [(b"", "empty"), (b"{not json", "bad_json"), (b"\xff\xfe", "bad_encoding"), (b"\x00", "bad_json")]
)
def test_bytes_that_could_not_be_parsed_are_sent_byte_for_byte(raw: bytes, code: str) -> None:
    plan = plan_replay([whole(raw, code)])
    assert [message.value for message in plan.messages] == [raw]
    assert [(outgoing.raw, outgoing.code) for outgoing in metered(plan)] == [(raw, code)]


def test_a_frame_that_can_be_read_now_is_split_into_members() -> None:
    plan = plan_replay([whole(orjson.dumps([VALID, VALID, 17]), "bad_json")])
    assert (plan.valid, plan.invalid) == (2, {"wrong_type": 1})


@pytest.mark.parametrize("raw", [b"[" + b"1," * 600_000, orjson.dumps([1] * 10_001)])
def test_a_frame_that_is_too_large_is_not_sent_and_the_reason_is_given(raw: bytes) -> None:
    plan = plan_replay([whole(raw, "frame_too_large"), letter(1)])
    assert [unsent.place.offset for unsent in plan.unreplayable] == [0]
    assert plan.unreplayable[0].reason.startswith("frame_too_large: ")
    assert (plan.chosen, len(plan.messages)) == (2, 1)


def test_a_member_larger_than_a_message_is_not_sent_and_the_reason_is_given() -> None:
    member = orjson.dumps({**VALID, "x": "y" * FRAME_BYTES_MAX}).decode()
    (unsent,) = plan_replay([letter(member=member, code="missing_field")]).unreplayable
    assert unsent.reason == f"missing_field: alone it takes {len(member):,} bytes, and a message may take 1,048,576"


INVALID = st.sampled_from(["17", "null", '"text"', "[1,2]", '{"v":2}', '{"account":"acme"}', "[]"])
LETTERS = st.lists(
    st.builds(
        letter,
        offset=st.integers(0, 5),
        index=st.integers(0, 3),
        member=INVALID | st.just(orjson.dumps(VALID).decode()),
        received_at=st.integers(EARLIEST_AT, LATEST_AT),
    ),
    unique_by=id_of,
)


@given(letters=LETTERS)
def test_what_still_cannot_be_used_stays_the_dead_letter_it_was(letters: list[DeadLetter]) -> None:
    kept = {(id_of(each), each.received_at, each.member) for each in letters}
    plan = plan_replay(letters)
    again = metered(plan)
    assert {(id_of(each), each.received_at, each.member) for each in again} <= kept
    assert len(again) == sum(plan.invalid.values())
    replayed_again = plan_replay([*{id_of(each): each for each in [*letters, *again]}.values()])
    assert (replayed_again.log_id, replayed_again.messages) == (plan.log_id, plan.messages)


def test_invalid_members_of_a_frame_that_can_be_read_now_stand_at_their_index_in_it() -> None:
    raw = orjson.dumps([VALID, 17, VALID, "text"])
    again = metered(plan_replay([whole(raw, "bad_json", 5)]))
    assert [(each.log, each.topic, each.partition, each.offset, each.index) for each in again] == [
        ("main", HEARTBEATS, 3, 5, 1), ("main", HEARTBEATS, 3, 5, 3),
    ]  # fmt: skip


def test_equal_members_are_sent_once_with_the_id_of_the_first() -> None:
    left_behind = letter(0, log=f"{LOG_PREFIX}0123")
    originals = [letter(offset, log="zone 1") for offset in (5, 2, 9)]  # sorts behind the ids of the replay
    plan = plan_replay([left_behind, *originals])
    assert [(place.log, place.offset) for place in plan.replayed] == [("zone 1", 2)]
    assert plan.chosen == 4


def test_equal_bytes_of_two_accounts_are_two_messages() -> None:
    assert len(plan_replay([letter(0, member="17"), letter(1, member="17", account="other")]).messages) == 2


def test_replaying_a_replay_with_its_remaining_letters_makes_the_same_log() -> None:
    originals = [letter(offset, log="zone 1", member=f'{{"v":{offset + 2}}}') for offset in range(9)]
    first = plan_replay(originals)
    left_behind = [replace(outgoing, log=first.log_id) for outgoing in metered(first)]
    both = [*left_behind, *originals]
    random.Random(3).shuffle(both)  # noqa: S311 -- a repeatable shuffle
    again = plan_replay(both)
    assert len(left_behind) == 9
    assert (again.log_id, again.messages) == (first.log_id, first.messages)


def test_other_dead_letters_make_another_log() -> None:
    first, second = letter(0, member='{"v":2}'), letter(1, member='{"v":3}')
    assert len({plan_replay(letters).log_id for letters in ([first], [second], [first, second])}) == 3


def test_another_version_makes_another_log(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_replay([letter()])
    before = plan.log_id
    monkeypatch.setattr("pipeline.kafka.replay_plan.__version__", "99.0")
    assert plan.log_id != before


def test_a_plan_predicts_the_outcomes_of_the_meter() -> None:
    plan = plan_replay([letter(0), letter(1, member="17"), letter(2, member='{"v":9}'), whole(b"x", "bad_json", 3)])
    assert plan.valid == 1
    assert plan.invalid == {"bad_json": 1, "unknown_version": 1, "wrong_type": 1}
    assert sorted(outgoing.code for outgoing in metered(plan)) == sorted(plan.invalid)


@pytest.mark.parametrize("topic", [COMMANDS, CONTRACTS])
def test_unreadable_orders_and_contracts_are_not_sent_as_heartbeats(topic: str) -> None:
    plan = plan_replay([letter(topic=topic, member=None, raw=b"{}", code="unreadable"), letter(1)])
    assert len(plan.messages) == 1
    assert [unsent.reason for unsent in plan.unreplayable] == [
        f"unreadable: it is no evidence; post it again, corrected, to {topic}"
    ]
