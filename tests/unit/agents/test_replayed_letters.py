"""The place of a dead letter that was replayed and still cannot be used."""

from __future__ import annotations

import pytest

from pipeline.agents.consuming import Message
from pipeline.agents.meter import MeterStep
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.letter_ids import id_of, write_id
from pipeline.kafka.topics import HEARTBEATS
from pipeline.model.instants import LATEST_AT


def judged(*headers: tuple[str, bytes], value: bytes = b"17") -> list[tuple[str, int]]:
    """The places and times of receipt of the dead letters of a message."""
    step = MeterStep("now")
    step.take(Message(HEARTBEATS, 2, 40, b"", value, headers, 900))
    letters = [dead_letter_messages.decode(outgoing.value) for outgoing in step.drain().letters]
    return [(write_id(id_of(letter)), letter.received_at) for letter in letters]


def test_a_replayed_letter_keeps_its_place_and_its_time_of_receipt() -> None:
    headers = (("replays", b"run-1/heartbeats/0/17/3"), ("received_at", b"1651568460000"))
    assert judged(*headers) == [("run-1/heartbeats/0/17/3", 1_651_568_460_000)]
    assert judged(*headers, value=b"[1, 2]") == [
        ("run-1/heartbeats/0/17/3", 1_651_568_460_000),
        ("run-1/heartbeats/0/17/4", 1_651_568_460_000),
    ]


@pytest.mark.parametrize("header", [b"", b"17", b"run-1/heartbeats/0", b"\xff\xfe", b"run 1/heartbeats/0/17/3"])
def test_a_header_that_names_no_place_leaves_the_letter_where_it_stands(header: bytes) -> None:
    assert judged(("replays", header)) == judged() == [("now/heartbeats/2/40/0", 900)]


@pytest.mark.parametrize("header", [b"", b"soon", b"-1", b"1e3", b"9" * 400, str(LATEST_AT + 1).encode(), b"\xff"])
def test_an_unreadable_time_of_receipt_is_that_of_the_replay(header: bytes) -> None:
    assert judged(("replays", b"run-1/heartbeats/0/17/3"), ("received_at", header)) == [
        ("run-1/heartbeats/0/17/3", 900)
    ]
