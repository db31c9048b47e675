"""Logs are JSON lines that name neither users nor machines."""

from __future__ import annotations

import logging
import sys

import orjson
import pytest

from pipeline.agents.health.json_logs import JsonLines


def record(message: str, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = (type(error), error, None) if error is not None else None
    return logging.LogRecord("pipeline.agents.sink", logging.WARNING, __file__, 1, message, None, exc_info)


def test_a_log_line_is_one_json_object() -> None:
    line = JsonLines().format(record('a "quoted"\nmessage'))
    assert "\n" not in line
    assert orjson.loads(line)["message"] == 'a "quoted"\nmessage'
    assert orjson.loads(line)["level"] == "warning"


def test_an_exception_is_logged_by_its_type_without_its_message() -> None:
    line = JsonLines().format(record("failed", ValueError("jana@acme.example on ws-0123")))
    assert orjson.loads(line)["error"] == "ValueError"
    assert "jana" not in line
    assert "ws-0123" not in line


def test_a_record_without_an_exception_that_says_so_is_logged() -> None:
    said = logging.LogRecord("asyncio", logging.ERROR, __file__, 1, "Unclosed producer", None, None)
    said.exc_info = False  # type: ignore[assignment]  # as asyncio's own exception handler has it
    line = orjson.loads(JsonLines().format(said))
    assert (line["message"], "error" in line) == ("Unclosed producer", False)


@pytest.mark.parametrize(
    ("message", "arguments", "shown"),
    [("%d of %d", (1,), "%d of %d"), ("%d", ("x",), "%d"), ("at %s", ("caf\udce9",), "at caf?")],
)
def test_a_message_that_cannot_be_put_together_is_logged_all_the_same(
    message: str, arguments: tuple[object, ...], shown: str
) -> None:
    said = logging.LogRecord("library", logging.WARNING, __file__, 1, message, arguments, None)
    assert orjson.loads(JsonLines().format(said))["message"] == shown


def test_a_traceback_of_a_real_exception_is_left_out() -> None:
    try:
        orjson.loads(b'{"user": "jana@acme.example')
    except orjson.JSONDecodeError:
        caught = sys.exc_info()
    line = JsonLines().format(logging.LogRecord("x", logging.ERROR, __file__, 1, "m", None, caught))
    assert orjson.loads(line)["error"] == "JSONDecodeError"
    assert "jana" not in line
