"""``seatbeat dead-letters``: it shows any evidence safely, and refuses contradictory requests."""

from __future__ import annotations

import argparse
import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.commands import dead_letters
from pipeline.cli.letter_options import letter_filter
from pipeline.codec.reports.letter_records import letter_json, letter_text, printable, printable_lines
from pipeline.codec.schema_folder import schema_folder
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.model.errors import InputError
from pipeline.store.letters import LetterFilter

LETTER = DeadLetter(
    log="main", topic="heartbeats", partition=3, offset=1204, index=17, account="acme", code="empty_field",
    field="user", detail="user is empty", member='{"v":1,"user":""}', raw=b"", received_at=1_651_568_460_123,
    source="beats.ndjson", line=12,
)  # fmt: skip
WHOLE = replace(
    LETTER, member=None, raw=b"\x00\xff not json", code="bad_encoding", field="", account="", source="", line=0
)


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    dead_letters.add_parser(parser.add_subparsers())
    return parser.parse_args(["dead-letters", *arguments])


def run(*arguments: str) -> int:
    args = parse(*arguments)
    declared: Callable[[argparse.Namespace], int] = args.run
    return declared(args)


def test_a_member_is_shown_with_its_account_field_reason_and_origin() -> None:
    assert "\n".join(letter_text(LETTER, "hex")) == (
        "id        main/heartbeats/3/1204/17\n"
        "account   acme\n"
        "code      empty_field\n"
        "field     user\n"
        "detail    user is empty\n"
        "received  2022-05-03T09:01:00Z\n"
        "from      beats.ndjson:12\n"
        "member\n"
        '{\n  "v": 1,\n  "user": ""\n}'
    )


def test_bytes_that_are_not_json_are_shown_in_hex_or_base64() -> None:
    assert list(letter_text(WHOLE, "hex"))[-2:] == ["raw       11 bytes, hex", "00ff206e6f74206a736f6e"]
    assert list(letter_text(WHOLE, "base64"))[-2:] == ["raw       11 bytes, base64", "AP8gbm90IGpzb24="]


@given(st.binary(max_size=400))
def test_bytes_over_several_lines_are_shown_completely(raw: bytes) -> None:
    shown = {form: "".join(list(letter_text(replace(WHOLE, raw=raw), form))[8:]) for form in ("hex", "base64")}
    assert bytes.fromhex(shown["hex"]) == raw
    assert base64.b64decode(shown["base64"]) == raw


def test_missing_values_are_shown_as_words() -> None:
    fields = dict(line.split(maxsplit=1) for line in list(letter_text(WHOLE, "hex"))[:7])
    assert (fields["account"], fields["field"], fields["from"]) == ("(none named)", "(the whole)", "(no file)")


@given(st.text())
def test_control_characters_are_never_printed(text: str) -> None:
    letter = replace(LETTER, source=text, detail=text, account=text, field=text, member=orjson.dumps(text).decode())
    shown = [line for block in letter_text(letter, "hex") for line in block.split("\n")]
    assert all(line.isprintable() for line in shown)
    assert all(line.isprintable() for line in letter_json(letter).split("\n"))


@given(st.text(st.characters(codec="utf-8")))
def test_escaping_does_not_change_the_meaning_of_json(text: str) -> None:
    assert orjson.loads(printable_lines(orjson.dumps({"x": text}).decode())) == {"x": text}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\u001b[2J"),
        ("a\u202eb", "a\\u202eb"),
        ("\x7f\x9b", "\\u007f\\u009b"),
        ("\U000e0041", "\\udb40\\udc41"),
    ],
)
def test_characters_that_move_a_cursor_or_turn_text_around_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable("Škoda 設計 🛠") == "Škoda 設計 🛠"


def test_a_member_that_is_too_deep_to_indent_is_shown_unchanged() -> None:
    member = "[" * 800 + "]" * 800
    assert list(letter_text(replace(LETTER, member=member), "hex"))[-1] == member


@pytest.mark.parametrize("letter", [LETTER, WHOLE])
def test_the_json_of_a_dead_letter_is_its_message(letter: DeadLetter) -> None:
    schema = orjson.loads((schema_folder() / "events" / "dead-letter.v1.schema.json").read_bytes())
    record: dict[str, Any] = orjson.loads(letter_json(letter))
    jsonschema.validate(record, schema)
    assert (record["member"], base64.b64decode(record["raw"] or "")) == (letter.member, letter.raw)


def test_options_select_dead_letters_and_an_empty_text_selects_too() -> None:
    assert letter_filter(parse("list", "--account", "", "--code", "bad_json")) == LetterFilter("bad_json", "")
    assert letter_filter(parse("list", "--from", "2022-05-03", "--until", "2022-05-03T00:00:01")) == LetterFilter(
        from_at=1_651_536_000_000, until_at=1_651_536_001_000
    )
    assert letter_filter(parse("list")) == LetterFilter()


def test_an_end_that_is_not_after_the_beginning_is_refused() -> None:
    with pytest.raises(InputError, match="--until: is not after --from"):
        run("list", "--from", "2022-05-03", "--until", "2022-05-03")


@pytest.mark.parametrize("arguments", [(), ("main/heartbeats/0/0/0", "--code", "bad_json")])
def test_a_replay_needs_ids_or_options_that_select(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="needs either IDs or options that choose"):
        run("replay", *arguments)


@pytest.mark.parametrize(
    "arguments",
    [("show", "heartbeats/0/0/0"), ("list", "--code", "no_such_code"), ("list", "--limit", "0"), ("show",), ()],
)
def test_invalid_arguments_end_with_status_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(*arguments)
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err
