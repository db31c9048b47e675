"""Dead letters read from the store: selection, unchanged bytes, and counts by log without duplicates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.letter_ids import LetterId, id_of
from pipeline.codec.topics.usage_frames import Delivery
from pipeline.store.client import Client
from pipeline.store.facts import write_dead_letters
from pipeline.store.letters import (
    SHOWN_MAX,
    Letter,
    LetterFilter,
    bytes_of_letters,
    count_letters,
    find_letter,
    find_letters,
    list_letters,
    metered_in,
    read_letters,
)
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_deliveries

BYTES = bytes(range(256))


def written(store: Client, *changes: dict[str, Any]) -> tuple[str, list[DeadLetter]]:
    """Dead letters of a new account, at offsets from 0 of a log named after it."""
    account = new_account()
    usual = DeadLetter(
        log=account, topic="heartbeats", partition=0, offset=0, index=0, account=account, code="bad_json", field="",
        detail="not JSON", member=None, raw=BYTES, received_at=1_651_568_460_123, source="a.ndjson", line=3,
    )  # fmt: skip
    letters = [replace(usual, **{"offset": offset, **change}) for offset, change in enumerate(changes)]
    write_dead_letters(store, letters)
    return account, letters


def test_dead_letters_survive_a_round_trip(store: Client) -> None:
    member = '{"user":"Škoda \\u0000\\u001b"}'
    account, letters = written(store, {}, {"raw": b""}, {"member": member, "raw": b"", "code": "missing_field"})
    assert find_letters(store, LetterFilter(account=account)) == letters
    assert [find_letter(store, id_of(letter)) for letter in letters] == letters


def test_an_empty_place_has_no_dead_letter(store: Client) -> None:
    _, (letter,) = written(store, {})
    assert find_letter(store, replace(id_of(letter), index=1)) is None
    assert find_letter(store, LetterId("no such log", "heartbeats", 2**31 - 1, 2**63 - 1, 2**31 - 1)) is None


@pytest.mark.parametrize(
    ("choice", "offsets"),
    [
        ({}, [0, 1, 2]),
        ({"code": "empty"}, [1]),
        ({"source": "b.ndjson"}, [2]),
        ({"source": ""}, [1]),
        ({"from_at": 1_651_568_460_123}, [0, 2]),
        ({"until_at": 1_651_568_460_123}, [1]),
        ({"code": "empty", "source": "b.ndjson"}, []),
    ],
)
def test_options_select_dead_letters(store: Client, choice: dict[str, Any], offsets: list[int]) -> None:
    account, _ = written(
        store, {}, {"code": "empty", "source": "", "received_at": 1_651_568_460_122}, {"source": "b.ndjson"}
    )
    wanted = LetterFilter(account=account, **choice)
    assert sorted(letter.place.offset for letter in list_letters(store, wanted, 10)) == offsets
    assert [letter.offset for letter in find_letters(store, wanted)] == offsets
    assert sum(count_letters(store, wanted).values()) == len(offsets)
    assert bytes_of_letters(store, wanted) == len(offsets) * len(BYTES)


def test_a_dead_letter_that_was_delivered_twice_is_counted_once(store: Client) -> None:
    account, letters = written(store, {}, {"code": "empty"})
    write_dead_letters(store, letters)
    wanted = LetterFilter(account=account)
    assert count_letters(store, wanted) == {"bad_json": 1, "empty": 1}
    assert len(list_letters(store, wanted, 10)) == 2


def test_dead_letters_are_listed_latest_first_up_to_a_limit(store: Client) -> None:
    account, _ = written(store, *({"received_at": 1_651_568_460_000 - minute} for minute in range(5)))
    listed = list_letters(store, LetterFilter(account=account), 3)
    assert [summary.place.offset for summary in listed] == [4, 3, 2]


def test_sql_in_an_option_is_compared_as_text(store: Client) -> None:
    account, _ = written(store, {"source": "' OR '1'='1"}, {})
    assert count_letters(store, LetterFilter(account=account, source="' OR '1'='1")) == {"bad_json": 1}
    assert count_letters(store, LetterFilter(account="' OR '1'='1")) == {}


def test_metered_heartbeats_of_a_log_are_counted_once_per_message(store: Client) -> None:
    log = new_account("log")
    for _ in range(2):
        write_deliveries(store, {new_account(): [], log: [Delivery(log, "heartbeats", 0, 0, 3)]})
    write_deliveries(store, {log: [Delivery(log, "heartbeats", 1, 0, 4), Delivery("another", "heartbeats", 0, 0, 9)]})
    assert metered_in(store, log) == 7
    assert metered_in(store, new_account("log")) == 0


def in_log(log: str, line: int, *, source: str = "a.json", code: str = "bad_json", index: int = 0) -> DeadLetter:
    return DeadLetter(
        log=log,
        topic="heartbeats",
        partition=line % 3,
        offset=line,
        index=index,
        account="",
        code=code,
        field="",
        detail=f"broken in line {line}",
        member=None,
        raw=b"\xff\x00{",
        received_at=0,
        source=source,
        line=line,
    )


def test_a_log_without_dead_letters_has_none(store: Client) -> None:
    summary = read_letters(store, new_account("log"))
    assert (summary.count, summary.by_code, summary.first) == (0, {}, ())


def test_repeated_dead_letters_are_counted_once_by_code(store: Client) -> None:
    log, other = new_account("log"), new_account("log")
    letters = [in_log(log, 1), in_log(log, 2, code="empty"), in_log(log, 2, code="empty", index=1), in_log(log, 3)]
    write_dead_letters(store, letters)
    write_dead_letters(store, [*reversed(letters), in_log(other, 1)])
    summary = read_letters(store, log)
    assert summary.by_code == {"bad_json": 2, "empty": 2}
    assert summary.count == 4


def test_the_first_are_shown_in_order_of_file_and_line(store: Client) -> None:
    log = new_account("log")
    letters = [in_log(log, line) for line in range(30, 0, -1)] + [in_log(log, 99, source="0.json")]
    write_dead_letters(store, letters)
    summary = read_letters(store, log)
    assert summary.count == 31
    assert summary.first[0] == Letter("0.json", 99, "bad_json", "broken in line 99")
    assert [letter.line for letter in summary.first[1:]] == [*range(1, SHOWN_MAX)]
