"""Dead letters of a log: each is counted once, and the first are shown in order."""

from __future__ import annotations

from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.store.client import Client
from pipeline.store.facts import write_dead_letters
from pipeline.store.letters import SHOWN_MAX, Letter, read_letters
from tests.support.store.empty_stores import new_account


def letter(log: str, line: int, *, source: str = "a.json", code: str = "bad_json", index: int = 0) -> DeadLetter:
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
    letters = [letter(log, 1), letter(log, 2, code="empty"), letter(log, 2, code="empty", index=1), letter(log, 3)]
    write_dead_letters(store, letters)
    write_dead_letters(store, [*reversed(letters), letter(other, 1)])
    summary = read_letters(store, log)
    assert summary.by_code == {"bad_json": 2, "empty": 2}
    assert summary.count == 4


def test_the_first_are_shown_in_order_of_file_and_line(store: Client) -> None:
    log = new_account("log")
    letters = [letter(log, line) for line in range(30, 0, -1)] + [letter(log, 99, source="0.json")]
    write_dead_letters(store, letters)
    summary = read_letters(store, log)
    assert summary.count == 31
    assert summary.first[0] == Letter("0.json", 99, "bad_json", "broken in line 99")
    assert [letter.line for letter in summary.first[1:]] == [*range(1, SHOWN_MAX)]
