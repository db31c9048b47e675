"""The agents on the embedded broker and engine: messages of every shape, crashes, a stalled broker."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from pipeline.codec.contract.examination import load_contract
from pipeline.codec.topics.heartbeats import decode
from pipeline.codec.topics.message_keys import encode_key
from pipeline.fleet.clients import fleet
from pipeline.kafka.topics import HEARTBEATS
from pipeline.model.instants import MINUTE_MS, Period
from tests.integration.conftest import SideBySide
from tests.support.auditors.recompute import counts_of, lines_of, usage_of, valid
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.small_world import PLAN, World
from tests.support.process.scenario_messages import Carried, decode_day, encode_messages
from tests.support.process.seatbeat_process import ended, read_line, running, without_retries

DRIVE: Final = (sys.executable, "-m", "tests.support.process.scenario_process")
POISON: Final = (b"\x00\xff\xfe", b"{", b"17", b"null", b"[[]]", b'{"v":1,"account":"studio"}', b"[" * 2_000)
LATE_AT: Final = instant("2022-06-30 21:02")
IN_GRACE: Final = [["grace", "2022-06-30T21:12:00Z"]]
STEPS: Final = 8
CRASHES: Final = 3


def _heartbeat(session: str, state: str, opened_at: int, at: int) -> bytes:
    return json.dumps(
        {
            "v": 1, "account": "studio", "product": "MSTN", "machine": f"pc-{session}", "user": f"user-{session}",
            "session": session, "state": state, "opened_at": opened_at, "since": opened_at, "at": at,
        }
    ).encode()  # fmt: skip


def _messages() -> list[Carried]:
    """A small fleet as single heartbeats and frames with right, missing and wrong keys, and poison messages.

    At the end a session has just begun, and another that began as late is closed.
    """
    heartbeats = list(fleet(replace(PLAN, machines=8, period="2022Q2")))
    key = encode_key("studio", "eva")
    keys = (key, None, encode_key("somebody", "else"), b"not a key")
    carried: list[Carried] = [(keys[number % 4], line) for number, line in enumerate(heartbeats[::3])]
    in_frames = [line for number, line in enumerate(heartbeats) if number % 3]
    frames = [b"[" + b",".join(in_frames[start : start + 150]) + b"]" for start in range(0, len(in_frames), 150)]
    poisoned = frames[0][:-1] + b',{"v":2},null]'
    carried += [(key, frame) for frame in (poisoned, *frames[1:])]
    carried += [(None, poison) for poison in POISON] + [(key, None), (None, b"")]
    random.Random(11).shuffle(carried)  # noqa: S311 -- a repeatable shuffle
    return [
        *carried,
        (key, _heartbeat("grace", "beat", LATE_AT, LATE_AT + 5 * MINUTE_MS)),
        (key, _heartbeat("over", "close", LATE_AT, LATE_AT + 4 * MINUTE_MS)),
    ]


MESSAGES: Final = _messages()
VALUES: Final = [value for _, value in MESSAGES]
KEYED: Final = [(key or b"-", value) for key, value in MESSAGES]
"""The same, in partitions that are the same whenever they are sent."""


@dataclass(frozen=True, slots=True)
class Played:
    """The events of a scenario's process, its status and its stderr."""

    events: list[dict[str, Any]]
    status: int
    err: str

    def last(self, name: str) -> dict[str, Any]:
        return next(event for event in reversed(self.events) if event["event"] == name)


class Scenarios:
    """The scenarios of this module, all started before the first test asks for one."""

    def __init__(self, world: World, folder: Path, side_by_side: SideBySide) -> None:
        self._world, self._folder = world, folder
        self.all_shapes: Future[Played] = side_by_side.start(self._all_shapes)
        self.crashes: Future[Played] = side_by_side.start(self._crashes)
        self.stored: Future[dict[str, Any]] = side_by_side.start(lambda: self._seats("stored", MESSAGES, []))
        self.divided: Future[dict[str, Any]] = side_by_side.start(self._divided)
        self.shared: Future[Played] = side_by_side.start(self._shared)
        self.still: Future[Played] = side_by_side.start(self._still)

    def _command(self, scenario: str, name: str, **files: Iterable[Carried]) -> list[str | Path]:
        command: list[str | Path] = [
            *DRIVE,
            scenario,
            "--contract",
            self._world.contract,
            "--data-dir",
            self._folder / name,
        ]
        for option, messages in files.items():
            path = self._folder / f"{name}-{option}"
            path.write_bytes(encode_messages(messages))
            command += [f"--{option}", path]
        return command

    def _all_shapes(self) -> Played:
        command = self._command("play", "shapes", messages=MESSAGES)
        with running(command, temporary=self._folder / "temporary") as process:
            end = ended(process)
        return Played([json.loads(line) for line in end.out.splitlines()], end.status, end.words)

    def _crashes(self) -> Played:
        """Killed at moments after some checkpoint, then run again to the end into the same store."""
        chance = random.Random(5)  # noqa: S311 -- repeatable moments
        step = -(-len(KEYED) // STEPS)
        command = [*self._command("play", "crashes", messages=KEYED), "--step", str(step)]
        for _ in range(CRASHES):
            with running([*command, "--wait"], temporary=self._folder / "temporary", stdin=subprocess.PIPE) as process:
                checkpoints = chance.randrange(1, STEPS)
                while checkpoints:
                    _go_on(process)
                    checkpoints -= _read(process, "checkpoint", "sending") == "checkpoint"
                if chance.random() < 0.7:
                    _go_on(process)
                    _read(process, "sending")
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        with running(command, temporary=self._folder / "temporary") as process:
            end = ended(process)
        return Played([json.loads(line) for line in end.out.splitlines()], end.status, end.words)

    def _seats(self, name: str, stored: list[Carried], topic: list[Carried]) -> dict[str, Any]:
        """The live counts when they are as expected, or when time is up."""
        command = self._command("seats", name, stored=stored, topic=topic)
        live: dict[str, Any] = {}
        with running(command, temporary=self._folder / "temporary", stdin=subprocess.PIPE) as process:
            while not self._is_whole(live):
                line = read_line(process)
                assert line, ended(process).err
                live = json.loads(line)
            _go_on(process)
            end = ended(process)
        return {**live, "status": end.status, "err": end.words}

    def _is_whole(self, live: dict[str, Any]) -> bool:
        expected = expected_counts(self._world.contract, live.get("horizon_day", 0))
        return live.get("counts") == expected and live["in_grace"] == IN_GRACE  # closes are written after days

    def _divided(self) -> dict[str, Any]:
        return self._seats("divided", MESSAGES[::2], MESSAGES[1::2])

    def _shared(self) -> Played:
        """Another member joins the meter's group, gets messages that it never acknowledges, and leaves."""
        command = [*self._command("play", "shared", messages=KEYED), "--step", "400", "--wait"]
        events = []
        with running(command, temporary=self._folder / "temporary", stdin=subprocess.PIPE) as process:
            started = json.loads(read_line(process))
            _go_on(process)
            _read(process, "checkpoint")
            asyncio.run(_join_and_leave(started["bootstrap"], lambda: _go_on(process)))
            while line := read_line(process):
                events.append(json.loads(line))
                if events[-1]["event"] == "checkpoint":
                    _go_on(process)
            end = ended(process)
        return Played(events, end.status, end.words)

    def _still(self) -> Played:
        """The broker is suspended while messages are in flight."""
        command = [*self._command("play", "still", messages=MESSAGES[:20]), "--wait", "--still", "8"]
        with running(command, temporary=self._folder / "temporary", stdin=subprocess.PIPE) as process:
            started = json.loads(read_line(process))
            os.kill(started["broker"], signal.SIGSTOP)
            _go_on(process)
            end = ended(process)
        return Played([json.loads(line) for line in end.out.splitlines()], end.status, end.words)


async def _join_and_leave(bootstrap: str, joined: Callable[[], None]) -> None:
    stranger = AIOKafkaConsumer(
        HEARTBEATS,
        bootstrap_servers=bootstrap,
        group_id="seatbeat-meter",
        enable_auto_commit=False,
        auto_offset_reset="latest",
        session_timeout_ms=3_000,
        rebalance_timeout_ms=3_000,
        heartbeat_interval_ms=1_000,
        partition_assignment_strategy=[RoundRobinPartitionAssignor],
    )
    try:
        await stranger.start()
        assert stranger.assignment()
        joined()
        await asyncio.wait_for(stranger.getone(), 30)
    finally:
        await stranger.stop()


def _go_on(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")


def _read(process: subprocess.Popen[bytes], *events: str) -> str:
    """The next of these events."""
    while line := read_line(process):
        event = str(json.loads(line)["event"])
        if event in events:
            return event
    raise AssertionError(ended(process).err)


def expected_counts(contract: Path, from_day: int) -> list[list[Any]]:
    """Units per pool and slot from a day on, by the pure rules."""
    counts = counts_of(load_contract(contract), valid(VALUES), Period.parse("2022Q2"))
    return [
        [*pool, slot_at, units]
        for pool, slots in sorted(counts.items())
        for slot_at, units in slots.items()
        if slot_at >= from_day * 24 * 60 * MINUTE_MS
    ]


@pytest.fixture(scope="module")
def scenarios(world: World, tmp_path_factory: pytest.TempPathFactory, side_by_side: SideBySide) -> Scenarios:
    return Scenarios(world, tmp_path_factory.mktemp("pipeline"), side_by_side)


@pytest.fixture(scope="module")
def shapes(scenarios: Scenarios) -> dict[str, Any]:
    """The stored results for messages of every shape."""
    played = scenarios.all_shapes.result()
    assert played.status == 0, played.err
    return played.last("done")


def test_stored_usage_of_messages_of_every_shape_equals_the_pure_fold(shapes: dict[str, Any]) -> None:
    assert [decode_day(record) for record in shapes["usage"]] == usage_of(VALUES)
    assert shapes["heartbeats"] == len(valid(VALUES)) > 1_000


def test_poison_and_tombstones_become_dead_letters_and_do_not_affect_neighbours(
    shapes: dict[str, Any],
) -> None:
    codes = Counter(invalid.reason.code for value in VALUES for invalid in decode(value).invalid)
    assert shapes["codes"] == dict(codes)
    assert codes["empty"] == 4
    assert len(codes) > 4


def test_the_statement_equals_that_of_the_pure_rules(shapes: dict[str, Any], world: World) -> None:
    assert shapes["lines"] == lines_of(world.contract, VALUES, "2022Q2")


def test_live_counts_equal_those_of_the_statement(shapes: dict[str, Any], world: World) -> None:
    live = shapes["live"]
    assert live["counts"] == expected_counts(world.contract, live["horizon_day"])
    assert len(live["counts"]) > 10


def test_a_session_in_grace_is_listed_with_the_instant_from_which_it_counts(shapes: dict[str, Any]) -> None:
    assert shapes["live"]["in_grace"] == IN_GRACE


def test_a_pipeline_stops_without_output(scenarios: Scenarios) -> None:
    played = scenarios.all_shapes.result()
    assert played.events[-1] == {"event": "stopped"}
    assert without_retries(played.err) == ""


def test_killing_the_process_at_any_moment_changes_no_result(scenarios: Scenarios, shapes: dict[str, Any]) -> None:
    played = scenarios.crashes.result()
    assert played.status == 0, played.err
    done = played.last("done")
    assert done["usage"] == shapes["usage"]
    assert done["lines"] == shapes["lines"]
    assert done["codes"] == shapes["codes"]
    assert done["heartbeats"] == shapes["heartbeats"]


def test_seats_are_rebuilt_from_the_store_alone(scenarios: Scenarios, world: World) -> None:
    live = scenarios.stored.result()
    assert (live["status"], live["err"]) == (0, "")
    assert live["counts"] == expected_counts(world.contract, live["horizon_day"])
    assert live["in_grace"] == IN_GRACE


def test_seats_are_rebuilt_from_the_store_and_the_topic(scenarios: Scenarios, world: World) -> None:
    live = scenarios.divided.result()
    assert (live["status"], live["err"]) == (0, "")
    assert live["counts"] == expected_counts(world.contract, live["horizon_day"])
    assert live["in_grace"] == IN_GRACE


def test_partitions_that_are_revoked_and_assigned_again_lose_nothing(
    scenarios: Scenarios, shapes: dict[str, Any]
) -> None:
    played = scenarios.shared.result()
    assert played.status == 0, played.err
    done = played.last("done")
    assert done["usage"] == shapes["usage"]
    assert done["lines"] == shapes["lines"]
    assert done["heartbeats"] == shapes["heartbeats"]


@pytest.mark.usefixtures("_embedded_broker")
def test_a_stalled_broker_fails_the_pipeline_instead_of_hanging_it(scenarios: Scenarios) -> None:
    played = scenarios.still.result()
    assert played.status == 1
    assert played.last("failed")["reason"] == "nothing was written, stored or committed for 8 s"
