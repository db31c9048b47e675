"""Reading a message field by field: every mistake has its field, and deep nesting does not crash the process."""

from __future__ import annotations

import pytest

from pipeline.codec.json_fields import JsonFields, MessageInvalid


def test_every_mistake_is_noted_with_its_path() -> None:
    message = JsonFields.of_message(b'{"window":{"rate":"7"},"parts":[{"tokens":true},3],"extra":1}')
    message.object("window").whole("rate")
    parts = list(message.entries("parts"))
    parts[0].whole("tokens")
    message.any_text("team")
    message.nothing_else("debit")
    assert {mistake.field for mistake in message.mistakes} == {
        "window.rate", "parts[0].tokens", "parts[1]", "team", "extra"
    }  # fmt: skip
    with pytest.raises(MessageInvalid, match=r"team: is missing. Add it"):
        message.raise_mistakes()


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"7", b"null"])
def test_a_value_that_is_not_a_json_object_is_refused(value: bytes) -> None:
    with pytest.raises(MessageInvalid):
        JsonFields.of_message(value)


def test_a_value_that_is_nested_too_deeply_is_a_mistake() -> None:
    message = JsonFields.of_message(b'{"note":%b%b}' % (b"[" * 1_000, b"]" * 1_000))
    assert message.any_text("note") == ""
    assert [mistake.field for mistake in message.mistakes] == ["note"]
