"""Logs are JSON lines that name neither users nor machines."""

from __future__ import annotations

import logging
import sys

import orjson

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


def test_a_traceback_of_a_real_exception_is_left_out() -> None:
    try:
        orjson.loads(b'{"user": "jana@acme.example')
    except orjson.JSONDecodeError:
        caught = sys.exc_info()
    line = JsonLines().format(logging.LogRecord("x", logging.ERROR, __file__, 1, "m", None, caught))
    assert orjson.loads(line)["error"] == "JSONDecodeError"
    assert "jana" not in line
