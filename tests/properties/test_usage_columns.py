"""Laws of the columns: rows fold to what the plain fold gives, whatever the split, and survive their messages."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.agents.meter import MeterStep
from pipeline.codec.columns.usage_messages import (
    ARROW_VERSION,
    COMPRESSED_ROWS_MIN,
    DELIVERIES_MAX,
    NO_USAGE,
    UsageMessage,
    UsageTables,
    decode_usage,
    deliveries_table,
    encode_usage,
    merged,
)
from pipeline.codec.columns.usage_rows import closes, folded, rows_of_days, session_days
from pipeline.codec.json_text import Json
from pipeline.codec.topics.usage_frames import STRETCHES_PER_ROW_MAX, Delivery, UnreadableUsage
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.topics import USAGE, topic
from pipeline.model.evidence import Heartbeat, SessionClose, SessionDay, SessionKey
from pipeline.model.instants import BASE_SLOT_MS
from pipeline.rules.evidence.merge import UsageFold
from tests.support.agents.step_messages import LOG, PARTITIONS, facts_of, message, rows_in
from tests.support.laws import examples

ACCOUNTS = ("acme", "studio", "ähm")
AT = 1_651_569_060_000
MIDNIGHT = 1_651_622_400_000
KEYS = st.builds(
    SessionKey,
    account=st.sampled_from(ACCOUNTS),
    product=st.sampled_from(["MSTN", "ACD"]),
    country=st.sampled_from(["", "CZ"]),
    usage=st.sampled_from(["production", "trial"]),
    machine=st.sampled_from(["pc1", "ü"]),
    user=st.sampled_from(["eva", "jan"]),
    session=st.sampled_from(["s1", "s2"]),
)
SHORT = st.integers(AT, AT + 5)
DAYS = st.builds(
    SessionDay,
    session=KEYS,
    day=st.integers(19_115, 19_116),
    opened_at=SHORT,
    last_at=SHORT,
    used_slots=st.integers(1, 2**144 - 1),
    stretches=st.dictionaries(SHORT, SHORT, max_size=4),
    version=st.sampled_from(["", "10.9", "10.17", "ž"]),
    received_min_at=SHORT,
    received_max_at=SHORT,
)
CLOSES = st.builds(SessionClose, session=KEYS, closed_at=SHORT)
DELIVERIES = st.builds(
    Delivery,
    log=st.sampled_from(["main", "other"]),
    topic=st.just("heartbeats"),
    partition=st.integers(0, 2),
    offset=st.integers(0, 2**62),
    heartbeats=st.integers(1, 10_000),
)
COUNTED = st.dictionaries(st.sampled_from(ACCOUNTS), st.lists(DELIVERIES, max_size=3), max_size=3)


def plainly(days: Iterable[SessionDay], closed: Iterable[SessionClose]) -> tuple[list[SessionDay], set[SessionClose]]:
    usage = UsageFold()
    for day in days:
        usage.merge(day)
    for close in closed:
        usage.merge_close(close)
    return in_order(usage.session_days()), set(usage.closes())


def in_order(days: Iterable[SessionDay]) -> list[SessionDay]:
    return sorted(days, key=lambda day: (day.session, day.day))


def read(rows: pa.Table) -> tuple[list[SessionDay], set[SessionClose]]:
    return in_order(session_days(rows)), set(closes(rows))


def usage_of(days: list[SessionDay], closed: list[SessionClose], counted: dict[str, list[Delivery]]) -> UsageTables:
    tables = [deliveries_table(account, delivered) for account, delivered in counted.items()]
    return UsageTables(
        rows_of_days(days, closed), pa.concat_tables([NO_USAGE.deliveries, *tables]).unify_dictionaries()
    )


def partition_of(account: str) -> int:
    return ACCOUNTS.index(account) % 2


def decoded(messages: Iterable[UsageMessage]) -> UsageTables:
    return merged([decode_usage(message.value, message.version) for message in messages])


@settings(max_examples=examples(200))
@given(days=st.lists(DAYS, max_size=12), closed=st.lists(CLOSES, max_size=4), cut=st.integers(0, 16))
def test_rows_fold_like_objects_whole_and_in_parts(
    days: list[SessionDay], closed: list[SessionClose], cut: int
) -> None:
    rows = rows_of_days(days, closed)
    assert read(folded(rows)) == plainly(days, closed)
    parts = folded(pa.concat_tables([folded(rows.slice(cut)), rows.slice(0, cut), rows.slice(cut // 2, cut)]))
    assert read(parts) == plainly(days, closed)


@st.composite
def heartbeats(draw: st.DrawFn) -> list[Heartbeat]:
    """Evidence of a few sessions around midnight, at and beside the limits of slots, over several days, some closed."""
    limits = [MIDNIGHT + k * BASE_SLOT_MS for k in (-145, -144, -1, 0, 1, 144)]
    instants = st.builds(lambda limit, beside: limit + beside, st.sampled_from(limits), st.integers(-1, 1))
    drawn = []
    for key in draw(st.lists(KEYS, min_size=1, max_size=6)):
        opened_at, since, resumed_at, active_at, at = sorted(draw(st.lists(instants, min_size=5, max_size=5)))
        if draw(st.booleans()):
            since, resumed_at, active_at = at, opened_at, since
        state, version = draw(st.sampled_from(["beat", "close"])), draw(st.sampled_from(["", "10.9", "10.17"]))
        drawn.append(Heartbeat(*key, state, opened_at, since, at, resumed_at, active_at, version, "", ""))
    return drawn


@settings(max_examples=examples(300))
@given(beats=heartbeats(), size=st.integers(1, 3), every=st.integers(1, 4))
def test_heartbeats_become_the_session_days_and_closes_of_the_plain_fold(
    beats: list[Heartbeat], size: int, every: int
) -> None:
    usage, step, written = UsageFold(), MeterStep(LOG), list[Outgoing]()
    for offset, start in enumerate(range(0, len(beats), size), 1):
        some = beats[start : start + size]
        sent = message([{"v": 1, **_given(beat)} for beat in some], offset)
        step.take(sent)
        for beat in some:
            usage.add(beat, sent.received_at)
        if offset % every == 0:
            written += step.drain().outgoing(PARTITIONS)
    facts = facts_of([*written, *step.drain().outgoing(PARTITIONS)])
    assert facts.days == {(day.session, day.day): day for day in usage.session_days()}
    assert facts.closes == frozenset(usage.closes())


def _given(beat: Heartbeat) -> dict[str, Json]:
    return {name: value for name, value in beat._asdict().items() if value != ""}


@settings(max_examples=examples(100))
@given(
    days=st.lists(DAYS, max_size=8), closed=st.lists(CLOSES, max_size=3), counted=COUNTED,
    rows_min=st.sampled_from([0, 3, 1_000]),
)  # fmt: skip
def test_messages_of_either_version_say_the_same_each_in_its_accounts_partition(
    days: list[SessionDay], closed: list[SessionClose], counted: dict[str, list[Delivery]], rows_min: int
) -> None:
    messages = list(encode_usage(usage_of(days, closed, counted), partition_of, rows_min))
    usage = decoded(messages)
    assert read(usage.rows) == plainly(days, closed)
    assert set(rows_in(usage.deliveries)) == {(account, *each) for account in counted for each in counted[account]}
    for written in messages:
        some = decode_usage(written.value, written.version)
        accounts = {*some.rows["account"].to_pylist(), *some.deliveries["account"].to_pylist()}
        assert {partition_of(account) for account in accounts} == {written.partition}
        assert (written.version == ARROW_VERSION) or accounts == {written.account}


def test_messages_are_bounded_and_the_last_ones_count_the_deliveries() -> None:
    key = SessionKey("acme", "MSTN", "", "production", "pc", "eva", "s")
    stretches = {AT + k: AT + k for k in range(3 * STRETCHES_PER_ROW_MAX)}
    days = [
        SessionDay(
            key._replace(session=f"{'x' * 190}{n}"), 19_115, AT, AT, 1, stretches if n % 100 == 7 else {}, "", 1, 1
        )
        for n in range(3_000)
    ]
    delivered = [Delivery("main", "heartbeats", 0, offset, 1) for offset in range(2 * DELIVERIES_MAX + 1)]
    messages = list(encode_usage(usage_of(days, [], {"acme": delivered}), partition_of))
    assert max(len(message.value) for message in messages) < int(topic(USAGE, "production").config["max.message.bytes"])
    parts = [decode_usage(message.value, message.version) for message in messages]
    assert len(parts) > 5
    last_rows = max(place for place, part in enumerate(parts) if part.rows.num_rows)
    assert [part.deliveries.num_rows for part in parts[:last_rows]] == [0] * last_rows
    usage = merged(parts)
    assert read(usage.rows) == plainly(days, [])
    assert usage.deliveries.num_rows == len(delivered)
    assert max(len(day.stretches) for part in parts for day in session_days(part.rows)) <= STRETCHES_PER_ROW_MAX


def test_the_columns_of_many_rows_are_compressed() -> None:
    key = SessionKey("acme", "MSTN", "", "production", "pc", "eva", "s")
    days = [SessionDay(key._replace(session=f"s{n}"), 19_115, AT, AT, 1, {AT: AT}, "", 1, 1) for n in range(1_000)]
    [few] = encode_usage(usage_of(days[: COMPRESSED_ROWS_MIN - 1], [], {}), partition_of)
    [many] = encode_usage(usage_of(days, [], {}), partition_of)
    assert len(many.value) < len(few.value) / 4
    assert read(decoded([many]).rows) == plainly(days, [])


def changed(name: str, column: pa.Array) -> bytes:
    """A message of version 2 with a column put in its place."""
    day = SessionDay(SessionKey("acme", "MSTN", "", "production", "pc", "eva", "s"), 19_115, AT, AT, 1, {}, "", 1, 1)
    rows = rows_of_days([day], ())
    rows = rows.set_column(rows.schema.get_field_index(name), name, [column])
    sink = pa.BufferOutputStream()
    for table in (rows, NO_USAGE.deliveries):
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


WRONG = pa.DictionaryArray.from_arrays(pa.array([7], pa.int32()), pa.array(["acme"]), safe=False)


@pytest.mark.parametrize(
    ("value", "version"),
    [
        (b"", ARROW_VERSION), (b"{}", ARROW_VERSION), (b"\xff" * 99, ARROW_VERSION),
        (changed("day", pa.array([19_115], pa.int64())), ARROW_VERSION),
        (changed("day", pa.array([None], pa.int32())), ARROW_VERSION),
        (changed("day", pa.array([65_536], pa.int32())), ARROW_VERSION),
        (changed("day", pa.array([-2], pa.int32())), ARROW_VERSION),
        (changed("used_slots", pa.array([b"\xff" * 24], pa.binary(24))), ARROW_VERSION),
        (changed("account", WRONG), ARROW_VERSION),
        (changed("day", pa.array([19_115], pa.int32()))[:-900], ARROW_VERSION),
        (changed("day", pa.array([19_115], pa.int32())), None),
        (changed("day", pa.array([19_115], pa.int32())), b"3"),
    ],
)  # fmt: skip
def test_a_message_that_no_meter_wrote_is_refused(value: bytes, version: bytes | None) -> None:
    assert decode_usage(changed("day", pa.array([19_115], pa.int32())), ARROW_VERSION).rows.num_rows == 1
    with pytest.raises(UnreadableUsage):
        decode_usage(value, version)
