"""Heartbeats known by their bytes: which frames are, and what looks like one and is not. The law: test_heartbeats."""

from __future__ import annotations

import orjson
import pytest

from pipeline.agents.meter import MeterStep
from pipeline.codec.topics.heartbeats import judge_plainly
from pipeline.codec.topics.known import KnownLayouts
from pipeline.model.evidence import Heartbeat
from pipeline.rules.evidence.merge import UsageFold
from tests.support.agents.step_messages import facts_of, message

AT = 1_651_569_060_000
MIDNIGHT = 1_651_622_400_000
FRAME = (
    b'[{"v":1,"account":"acme","product":"A","machine":"%b","user":"u","session":"s","opened_at":%d,"since":%d,"at":%d,'
    b'"resumed_at":%d,"active_at":%d%b}]'
)


def frame(at: int = AT, machine: bytes = b"ws", end: bytes = b',"usage":"production"') -> bytes:
    return FRAME % (machine, AT - 60_000, at, at, AT - 60_000, at, end)


def taught(value: bytes, layouts: KnownLayouts | None = None) -> KnownLayouts:
    """A cache that was given a value once."""
    layouts = layouts or KnownLayouts()
    for stranger in layouts.fold(value, 0, {}) or ():
        judged = judge_plainly(stranger.member)
        if isinstance(judged, Heartbeat):
            layouts.learn(stranger, judged)
    return layouts


@pytest.mark.parametrize("end", [b"", b',"usage":"trial"', b',"platform":"\xc3\xa9"'])
def test_a_client_that_says_the_same_a_minute_later_is_known(end: bytes) -> None:
    layouts, delivered = taught(frame(end=end)), dict[str, int]()
    assert layouts.fold(frame(AT + 60_000, end=end), 0, delivered) == []
    assert delivered == {"acme": 1}


def test_neighbours_are_known_though_a_stranger_stands_among_them() -> None:
    layouts, delivered = taught(frame()), dict[str, int]()
    mixed = b",".join(value[1:-1] for value in (frame(), frame(machine=b"other"), frame(end=b""), frame(AT + 1)))
    strangers = layouts.fold(b"[%b]" % mixed, 0, delivered)
    assert strangers is not None
    assert [stranger.place for stranger in strangers] == [1, 2]
    assert delivered == {"acme": 2}


@pytest.mark.parametrize(
    "value",
    [
        frame()[:-2] + b"]",
        frame()[:-1] + b",]",
        frame() + b"]",
        frame()[:-1] + b"," + frame()[1:-1] + b"x]",
        frame(end=b',"at":1'),
        frame(end=b',"a\\u0074":1'),
        frame(end=b',"x":{"opened_at":1}'),
        frame(end=b',"x":[{},{"opened_at":1651569060000}]'),
        frame(machine=b'ws},{\\"opened_at\\":1651569060000'),
        frame(AT - 120_000),
        frame(999),
        FRAME % (b"ws", AT - 60_000, MIDNIGHT - 5, MIDNIGHT + 5, AT - 60_000, MIDNIGHT, b',"usage":"production"'),
        frame(AT, end=b',"session":"twice"'),
        FRAME % (b"ws", AT - 60_000, AT, AT, AT - 120_000, AT, b',"usage":"production"'),
        (FRAME % (b"ws", *[951_569_060_000] * 5, b',"usage":"production"')).replace(b":951", b":0951"),
        frame()[:-1] + b"," + frame()[1:].replace(b'"at":1651569060000', b'"at":165156906000a'),
        frame()[:-1] + b"," + frame()[1:].replace(b'"since"', b'"sinte"'),
        b"[]", b"{}", b"", b"[{}]", b'[{,"opened_at":}]',
    ],
)  # fmt: skip
def test_what_only_looks_like_a_known_heartbeat_is_judged_as_it_would_be_without(value: bytes) -> None:
    plain, after = MeterStep("log"), MeterStep("log")
    plain.take(message(value, 7))
    for offset, before in enumerate((frame(), frame(), value, value)):
        after.take(message(before, offset))
    after.drain()
    after.tally()
    after.take(message(value, 7))
    assert after.tally() == plain.tally()
    assert facts_of(after.drain()).days == facts_of(plain.drain()).days


def test_times_elsewhere_in_a_heartbeat_keep_it_from_being_known() -> None:
    value = frame(end=b',"a\\u0074":%d' % (AT + 5))
    assert orjson.loads(value)[0]["at"] == AT + 5
    assert [stranger.place for stranger in taught(value).fold(value, 0, {}) or ()] == [0]


def test_a_fleet_larger_than_can_be_known_is_folded_whole_and_learned_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.codec.topics.known.KNOWN_SESSIONS_MAX", 2)
    monkeypatch.setattr("pipeline.codec.topics.known.STRANGERS_MAX", 5)
    step, plain = MeterStep("log"), MeterStep("log")
    for minute in range(4):
        machines = (b"one", b"two", b"three", b"four")[minute // 2 :]
        value = b"[%b]" % b",".join(frame(AT + minute * 60_000, machine)[1:-1] for machine in machines)
        step.take(message(value, minute))
        plain.take(message(orjson.dumps(orjson.loads(value), option=orjson.OPT_INDENT_2), minute))
        if minute == 1:
            assert facts_of(step.drain()) == facts_of(plain.drain())
    assert step.tally() == plain.tally()
    assert facts_of(step.drain()) == facts_of(plain.drain())


def test_who_is_heard_of_too_often_as_a_stranger_is_known_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.codec.topics.known.KNOWN_SESSIONS_MAX", 1)
    monkeypatch.setattr("pipeline.codec.topics.known.STRANGERS_MAX", 3)
    layouts, late = taught(frame(machine=b"early")), frame(machine=b"late")
    for _ in range(2):
        assert layouts.fold(late, 0, {}) != []
        taught(late, layouts)
    layouts.drain(UsageFold())
    assert layouts.fold(frame(machine=b"early"), 0, {}) != []
    taught(late, layouts)
    assert layouts.fold(late, 0, {}) == []
