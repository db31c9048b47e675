"""Requested faults disturb the delivery, never the evidence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import orjson
import pytest

from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, FRAME_HEARTBEATS_MAX, decode
from pipeline.fleet.clients import FleetPlan, FleetProduct, fleet
from pipeline.fleet.faults import BROKEN_WAYS, BrokenWay
from pipeline.model.instants import DAY_MS, HOUR_MS

pytestmark = pytest.mark.slow

PLAIN = FleetPlan(products=(FleetProduct("MSTN", 5), FleetProduct("ORD", 2)), machines=10, seed=3)
SPOILT = replace(PLAIN, duplicates=0.1, disorder=0.2, late=0.05, broken=0.05, oversize=4)
LINES = list(fleet(PLAIN))


def valid_members(lines: list[bytes]) -> Counter[bytes]:
    """Every member that is a valid heartbeat, as canonical JSON, from lines and frames within the limits."""
    members = Counter[bytes]()
    for line in lines:
        if decode(line).heartbeats:
            parsed = orjson.loads(line)
            for member in parsed if isinstance(parsed, list) else [parsed]:
                members[orjson.dumps(member)] += len(decode(orjson.dumps(member)).heartbeats)
    return +members


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAIN, duplicates=0.3),
        replace(PLAIN, disorder=0.3),
        replace(PLAIN, late=0.3),
        replace(PLAIN, broken=0.3),
        replace(PLAIN, oversize=3),
        SPOILT,
        replace(SPOILT, frames=250),
        replace(PLAIN, duplicates=1.0, disorder=1.0, late=1.0, broken=1.0),
    ],
    ids=["duplicates", "disorder", "late", "broken", "oversize", "all", "all in frames", "all at once"],
)
def test_faults_neither_add_nor_remove_valid_heartbeats(plan: FleetPlan) -> None:
    assert valid_members(list(fleet(plan))).keys() == set(LINES)


def test_a_duplicate_is_an_exact_copy() -> None:
    tally = Counter[str]()
    members = valid_members(list(fleet(replace(PLAIN, duplicates=0.1), tally)))
    assert set(members.values()) == {1, 2}
    assert tally["duplicates"] == sum(members.values()) - len(LINES)
    assert 0.08 < tally["duplicates"] / len(LINES) < 0.12


def test_duplicates_alone_keep_the_order_of_event_time() -> None:
    times = [orjson.loads(line)["at"] for line in fleet(replace(PLAIN, duplicates=0.3))]
    assert times == sorted(times)


def test_disorder_delays_a_share_of_heartbeats_by_up_to_an_hour() -> None:
    tally = Counter[str]()
    clock, moved = 0, 0
    for line in fleet(replace(PLAIN, disorder=0.2), tally):
        at = orjson.loads(line)["at"]
        assert at > clock - HOUR_MS
        moved += at < clock
        clock = max(clock, at)
    assert 0.15 < tally["displaced"] / len(LINES) < 0.25
    assert moved > tally["displaced"] / 2


def test_a_late_heartbeat_arrives_one_to_six_days_after_its_time() -> None:
    tally = Counter[str]()
    clock, late = 0, 0
    for line in fleet(replace(PLAIN, late=0.05), tally):
        at = orjson.loads(line)["at"]
        late += at < clock - DAY_MS / 2
        clock = max(clock, at)
    assert 0.03 < tally["late"] / len(LINES) < 0.07
    assert late > 0.8 * tally["late"], "fewer at weekends and at the quarter's end, when nothing newer precedes them"


def test_a_fault_does_not_change_where_other_faults_occur() -> None:
    every, tallies = Counter[str](), Counter[str]()
    list(fleet(replace(SPOILT, late=0.0), every))
    for fault in ("duplicates", "disorder", "broken", "oversize"):
        list(fleet(replace(PLAIN, **{fault: getattr(SPOILT, fault)}), tallies))
    assert +every == {name: count for name, count in tallies.items() if name not in {"heartbeats", "sessions"}} | {
        "heartbeats": len(LINES),
        "sessions": tallies["sessions"] // 4,
    }
    copies = valid_members(list(fleet(replace(PLAIN, duplicates=0.1))))
    assert valid_members(list(fleet(SPOILT))) == copies


@pytest.mark.parametrize("way", BROKEN_WAYS, ids=lambda way: way.name)
def test_each_kind_of_broken_heartbeat_has_its_own_code(way: BrokenWay) -> None:
    for line in (LINES[0], LINES[len(LINES) // 2], LINES[-1]):
        spoilt = way.spoil(line)
        decoded = decode(spoilt)
        assert decoded.heartbeats == []
        assert [invalid.reason.code for invalid in decoded.invalid] == [way.code]
        assert b"\n" not in spoilt


@pytest.mark.parametrize("way", BROKEN_WAYS, ids=lambda way: way.name)
def test_only_members_that_break_a_whole_frame_are_sent_alone(way: BrokenWay) -> None:
    framed = decode(b"[" + LINES[0] + b"," + way.spoil(LINES[1]) + b"," + LINES[2] + b"]")
    assert way.alone or len(framed.heartbeats) == 2
    if way.code in {"bad_json", "bad_encoding"}:
        assert way.alone


def test_broken_lines_cycle_through_every_kind() -> None:
    tally = Counter[str]()
    broken = [line for line in fleet(replace(PLAIN, broken=0.1), tally) if decode(line).invalid]
    codes = [decode(line).invalid[0].reason.code for line in broken]
    turns = [way.code for way in BROKEN_WAYS] * (len(codes) // len(BROKEN_WAYS) + 1)
    assert codes == turns[: len(codes)]
    counts = [tally[f"broken {way.name}"] for way in BROKEN_WAYS]
    assert sum(counts) == len(broken)
    assert max(counts) - min(counts) <= 1
    assert 0.08 < len(broken) / len(LINES) < 0.12


def test_frames_have_the_requested_size_and_keep_the_order() -> None:
    frames = [orjson.loads(line) for line in fleet(replace(PLAIN, frames=250))]
    assert {len(frame) for frame in frames[:-1]} == {250}
    assert 1 <= len(frames[-1]) <= 250
    assert [orjson.dumps(member) for frame in frames for member in frame] == LINES


def test_a_frame_stays_within_the_limit_of_bytes() -> None:
    frames = list(fleet(replace(PLAIN, machines=40, frames=10_000)))
    assert all(len(frame) <= FRAME_BYTES_MAX for frame in frames)
    assert all(len(frame) > FRAME_BYTES_MAX - 1_000 for frame in frames[:-1])


def test_broken_members_in_frames_do_not_affect_their_neighbours() -> None:
    decoded = [decode(line) for line in fleet(replace(PLAIN, broken=0.1, frames=100))]
    assert any(len(frame.heartbeats) > 50 and len(frame.invalid) > 1 for frame in decoded)


def test_a_small_fleet_sends_its_remaining_oversize_lines_at_the_end() -> None:
    sizes = [len(line) > 10_000 for line in fleet(replace(PLAIN, machines=1, oversize=4))]
    assert sizes[-2:] == [True, True]
    assert sum(sizes) == 4


def test_each_oversize_line_exceeds_a_limit_and_adds_no_evidence() -> None:
    tally = Counter[str]()
    lines = [line for line in fleet(replace(PLAIN, oversize=5), tally) if len(line) > 10_000]
    assert [decode(line).invalid[0].reason.code for line in lines] == ["frame_too_large"] * 5
    assert tally["oversize frame_of_too_many"] == tally["oversize frame_too_long"] == 2
    assert tally["oversize heartbeat_too_long"] == 1
    members = [orjson.loads(line) for line in lines]
    assert len(members[0]) == FRAME_HEARTBEATS_MAX + 1
    assert len(members[1]) < FRAME_HEARTBEATS_MAX
    assert len(lines[1]) > FRAME_BYTES_MAX
    assert members[2].pop("note")
    split = [member for frame in (members[0], members[1], [members[2]]) for member in frame]
    assert {orjson.dumps(member) for member in split} <= set(LINES)
