"""JSON text: it survives a round trip, and values that JSON cannot represent are refused."""

from __future__ import annotations

import pytest

from pipeline.codec.json_text import NotJson, indented_json, json_bytes, parse_json


def test_compact_text_is_utf_8_without_spaces() -> None:
    assert json_bytes({"user": "Jana Nováková", "slots": [1, 2], "note": None}) == (
        '{"user":"Jana Nováková","slots":[1,2],"note":null}'.encode()
    )


def test_text_for_people_is_indented_and_ends_with_a_line_feed() -> None:
    assert indented_json({"a": [1]}) == b'{\n  "a": [\n    1\n  ]\n}\n'


@pytest.mark.parametrize("value", [{1: 2}, {"inner": {None: 1}}, {"raw": b"bytes"}, [object()]])
def test_values_that_json_cannot_represent_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        json_bytes(value)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"NaN", '{"a":1} {"a":2}'])
def test_text_that_is_not_json_is_refused(text: bytes | str) -> None:
    with pytest.raises(NotJson):
        parse_json(text)
