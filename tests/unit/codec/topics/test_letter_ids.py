"""The text form of a dead letter's place: a round trip, and refusals of anything else."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.topics.letter_ids import LetterId, read_id, write_id

LOGS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
TOPICS = st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True)
PLACES = st.builds(
    LetterId, LOGS, TOPICS, st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1)
)


@given(PLACES)
def test_an_id_survives_a_round_trip(place: LetterId) -> None:
    assert read_id(write_id(place)) == place


@given(PLACES, PLACES)
def test_different_places_have_different_ids(first: LetterId, second: LetterId) -> None:
    assert (write_id(first) == write_id(second)) == (first == second)


@given(PLACES)
def test_an_id_is_a_single_word_on_the_command_line_and_not_an_option(place: LetterId) -> None:
    text = write_id(place)
    assert shlex.split(text) == [text]
    assert shlex.quote(text) == text or "%" in text
    assert not text.startswith(("-", "~"))


@given(st.text(max_size=60))
def test_an_id_that_is_read_is_written_the_same(text: str) -> None:
    try:
        place = read_id(text)
    except ValueError:
        return
    assert write_id(place) == text


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (LetterId("main", "heartbeats", 3, 1204, 17), "main/heartbeats/3/1204/17"),
        (LetterId("files:e8d6", "heartbeats", 0, 0, 0), "files:e8d6/heartbeats/0/0/0"),
        (LetterId("eu/west", "heartbeats", 0, 0, 0), "eu%2Fwest/heartbeats/0/0/0"),
        (LetterId("100 % ~\n", "heartbeats", 0, 0, 0), "100%20%25%20%7E%0A/heartbeats/0/0/0"),
        (LetterId("-x-", "heartbeats", 0, 0, 0), "%2Dx-/heartbeats/0/0/0"),
        (LetterId("Škoda", "heartbeats", 0, 0, 0), "%C5%A0koda/heartbeats/0/0/0"),
    ],
)
def test_ids_have_the_form_of_the_interface(place: LetterId, text: str) -> None:
    assert write_id(place) == text
    assert read_id(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "heartbeats/3/1204/17",
        "/heartbeats/3/1204/17",
        "main/heartbeats/3/1204",
        "main/heartbeats/3/1204/17/",
        "eu/west/heartbeats/3/1204/17",
        "main/heartbeats/03/1204/17",
        "main/heartbeats/+3/1204/17",
        "main/heartbeats/٣/1204/17",
        "main/heartbeats/-1/1204/17",
        "main/heartbeats/2147483648/0/0",
        "main/heartbeats/0/9223372036854775808/0",
        "main/heartbeats/0/0/2147483648",
        "main/heart beats/0/0/0",
        "main/heartbeats/0/0/0\n",
        "%6dain/heartbeats/0/0/0",
        "%c5%a0koda/heartbeats/0/0/0",
        "%FF/heartbeats/0/0/0",
        "%/heartbeats/0/0/0",
        "-x/heartbeats/0/0/0",
        "Škoda/heartbeats/0/0/0",
    ],
)
def test_a_second_notation_of_a_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a dead letter's id"):
        read_id(text)
