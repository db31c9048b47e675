"""Structured logs of a worker: a JSON object per line on stderr, without users, machines or evidence."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Final

from pipeline.codec.json_text import json_bytes

_OTHERS: Final = ("faust", "mode", "aiokafka", "kafka", "clickhouse_connect", "aiohttp")


class JsonLines(logging.Formatter):
    """``{"at", "level", "logger", "message"}``, and ``"error"`` with the exception's type where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as a line of JSON, without the traceback."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        if record.exc_info and record.exc_info[0] is not None:  # asyncio gives False where it has no exception
            line["error"] = record.exc_info[0].__name__
        return json_bytes(line).decode("utf-8")


def _message(record: logging.LogRecord) -> str:
    """The message, even of a library that gives it the wrong arguments, or bytes that no text can hold."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):
        message = str(record.msg)
    return message.encode("utf-8", "replace").decode("utf-8")


def log_to_stderr() -> None:
    """Log all of Seatbeat, and warnings of the libraries, as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _OTHERS:
        logging.getLogger(name).setLevel(logging.WARNING)
