"""Session days on the ``usage`` topic: a round trip, in frames that fit into a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.topics.usage_frames import (
    STRETCHES_PER_ROW_MAX,
    USAGE_FRAME_BYTES_MAX,
    Delivery,
    UnreadableUsage,
    UsageFrame,
    decode_frame,
    encode_facts,
)
from pipeline.kafka.topics import USAGE, topic
from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.rules.evidence.merge import UsageFold
from tests.support.evidence.frame_members import AT, EARLIEST_AT, LAST_AT
from tests.support.evidence.schema_examples import event_validator

KEY = SessionKey("acme", "MSTN", "CZ", "production", "ws-0123", "jana", "s1")
DAY = SessionDay(KEY, 19_115, AT, AT, 1 << 58, {AT: AT}, "10.17", AT + 5, AT + 9)
CLOSE = SessionClose(KEY, AT)
DELIVERY = Delivery("main", "heartbeats", 3, 41, 2)
SCHEMA = event_validator("usage")

TEXTS = st.text(min_size=1, max_size=6)
TIMES = st.integers(EARLIEST_AT, LAST_AT)
KEYS = st.builds(
    SessionKey,
    account=st.just("acme"),
    product=TEXTS,
    country=st.sampled_from(["", "CZ"]),
    usage=st.sampled_from(["production", "trial"]),
    machine=TEXTS,
    user=TEXTS,
    session=TEXTS,
)
DAYS = st.builds(
    SessionDay,
    session=KEYS,
    day=st.integers(10_957, 47_846),
    opened_at=TIMES,
    last_at=TIMES,
    used_slots=st.integers(1, 2**144 - 1),
    stretches=st.dictionaries(TIMES, TIMES, max_size=4),
    version=st.text(max_size=4),
    received_min_at=st.integers(0, 2**48),
    received_max_at=st.integers(0, 2**48),
)
CLOSES = st.builds(SessionClose, session=KEYS, closed_at=TIMES)
DELIVERIES = st.builds(
    Delivery,
    log=TEXTS,
    topic=st.just("heartbeats"),
    partition=st.integers(0, 11),
    offset=st.integers(0, 2**62),
    heartbeats=st.integers(1, 10_000),
)


def merged(frames: list[UsageFrame]) -> tuple[set[SessionClose], dict[tuple[SessionKey, int], SessionDay]]:
    usage = UsageFold()
    for frame in frames:
        for day in frame.days:
            usage.merge(day)
        for close in frame.closes:
            usage.merge_close(close)
    return set(usage.closes()), {(day.session, day.day): day for day in usage.session_days()}


def frames_of(
    account: str, days: Iterable[SessionDay], closes: Iterable[SessionClose], deliveries: Iterable[Delivery]
) -> Iterator[bytes]:
    facts = (
        (
            day.session,
            day.day,
            [
                day.opened_at, day.last_at, day.used_slots, day.stretches, day.version,
                day.received_min_at, day.received_max_at,
            ],
        )
        for day in days
    )  # fmt: skip
    return encode_facts(account, facts, closes, deliveries)


@given(
    days=st.lists(DAYS, max_size=5), closes=st.lists(CLOSES, max_size=3), deliveries=st.lists(DELIVERIES, max_size=3)
)
def test_a_frame_survives_a_round_trip_and_matches_its_schema(
    days: list[SessionDay], closes: list[SessionClose], deliveries: list[Delivery]
) -> None:
    frames = list(frames_of("acme", days, closes, deliveries))
    assert len(frames) == bool(days or closes or deliveries)
    for frame in frames:
        assert decode_frame(frame) == UsageFrame("acme", tuple(days), tuple(closes), tuple(deliveries))
        assert SCHEMA.is_valid(orjson.loads(frame))


@pytest.mark.parametrize("count", [0, 1, STRETCHES_PER_ROW_MAX, STRETCHES_PER_ROW_MAX + 1, 3 * STRETCHES_PER_ROW_MAX])
def test_a_day_of_many_stretches_is_split_into_rows_that_merge_to_it(count: int) -> None:
    day = SessionDay(KEY, 19_115, AT, AT, 1 << 58, {AT - n: AT - n for n in range(count)}, "10.17", AT, AT)
    frames = [decode_frame(frame) for frame in frames_of("acme", [day], [], [])]
    rows: list[SessionDay] = [row for frame in frames for row in frame.days]
    assert len(rows) == max(1, -(-count // STRETCHES_PER_ROW_MAX))
    assert max(len(row.stretches) for row in rows) <= STRETCHES_PER_ROW_MAX
    assert merged(frames)[1] == {(KEY, 19_115): day}


def test_frames_are_bounded_and_lose_nothing() -> None:
    name = "\\" * 200  # a text that takes two bytes for each character
    days = [
        SessionDay(KEY._replace(session=f"{name}{n}"), 19_115, AT, AT, 1, {AT + k: AT for k in range(n * 10)}, "", 0, 0)
        for n in range(500)
    ]
    closes = [SessionClose(day.session, AT) for day in days]
    deliveries = [Delivery("main", "heartbeats", 0, offset, 1) for offset in range(5_000)]
    frames = list(frames_of("acme", days, closes, deliveries))
    assert len(frames) > 3
    largest_row = 200_000
    assert (
        max(map(len, frames))
        < USAGE_FRAME_BYTES_MAX + largest_row
        < int(topic(USAGE, "production").config["max.message.bytes"])
    )
    read = [decode_frame(frame) for frame in frames]
    assert merged(read) == (set(closes), {(day.session, day.day): day for day in days})
    assert [delivery for frame in read for delivery in frame.deliveries] == deliveries


def test_the_largest_possible_row_fits_into_a_message() -> None:
    key = SessionKey("🛠" * 200, "\\" * 200, "\\" * 200, "pre-activation", "\\" * 600, "\\" * 600, "\\" * 200)
    stretches = {LAST_AT - n: LAST_AT for n in range(STRETCHES_PER_ROW_MAX)}
    day = SessionDay(key, 47_846, AT, AT, 2**144 - 1, stretches, "\\" * 200, 2**48, 2**48)
    [frame] = frames_of(key.account, [day], [], [])
    assert len(frame) < USAGE_FRAME_BYTES_MAX


def test_no_rows_make_no_frame() -> None:
    assert list(frames_of("acme", [], [], [])) == []


def frame_with(**changes: object) -> bytes:
    [frame] = frames_of("acme", [DAY], [CLOSE], [DELIVERY])
    fields: dict[str, object] = orjson.loads(frame)
    return orjson.dumps({**fields, **changes})


def test_a_foreign_frame_is_unreadable() -> None:
    not_rows: list[object] = [[None], [[]], [{}], ["row"], 1]
    strangers = [
        *(b"", b"\xff", b"{", b"null", b"1", b'"x"', b"[]", b"{}", b'[{"v":1}]'),
        *(frame_with(**{name: None}) for name in ("v", "days", "closes", "deliveries")),
        *(frame_with(days=rows) for rows in not_rows),
        frame_with(closes=[{"closed_at": AT}]),
        frame_with(deliveries=[{}]),
    ]
    for value in strangers:
        with pytest.raises(UnreadableUsage):
            decode_frame(value)


@pytest.mark.parametrize("used_slots", ["", "x", "-1", "1" + "0" * 36, 1, None])
def test_a_frame_with_slots_beyond_a_day_is_unreadable(used_slots: object) -> None:
    [row] = orjson.loads(frame_with())["days"]
    with pytest.raises(UnreadableUsage):
        decode_frame(frame_with(days=[{**row, "used_slots": used_slots}]))


def test_a_later_version_is_unreadable_with_a_reason_that_names_it() -> None:
    with pytest.raises(UnreadableUsage, match=r"^version 2 of the usage format is not one this program reads"):
        decode_frame(frame_with(v=2))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    value=st.binary(max_size=50)
    | JSON.map(orjson.dumps)
    | st.dictionaries(st.sampled_from(["v", "account", "days", "closes", "deliveries"]), JSON).map(
        lambda fields: orjson.dumps({"v": 1, "account": "acme", "days": [], "closes": [], "deliveries": [], **fields})
    )
)
def test_anything_else_is_unreadable(value: bytes) -> None:
    with suppress(UnreadableUsage):
        decode_frame(value)
