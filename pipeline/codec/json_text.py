"""JSON text: the only place that chooses how JSON is parsed and written (orjson).

``orjson`` reads 1,024 levels and writes 254. A value nested between the two is written by a loop here: a dead letter
must keep the text of its own member, and must not carry the whole frame instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

import orjson

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""A parsed JSON value."""

NotJson: Final = orjson.JSONDecodeError
"""What ``parse_json`` raises for text that is not JSON; a ``ValueError``."""


def parse_json(text: bytes | str) -> Json:
    """The value in a JSON text (UTF-8 where it is bytes). Raises ``NotJson``."""
    return cast(Json, orjson.loads(text))


def parse_json_lines(lines: Iterable[bytes]) -> list[Json]:
    """The value in each text. Raises ``NotJson`` for the first that is not JSON."""
    return [*map(orjson.loads, lines)]  # not `parse_json`: a call of ours takes a tenth of what parsing takes


def json_bytes(value: object) -> bytes:
    """Compact UTF-8 text, at any depth. Raises ``TypeError`` for a value that JSON cannot hold."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return b"".join(_pieces(value))


def indented_json(value: object) -> bytes:
    """JSON for people: indented by two spaces, with a line end."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


class _Written(bytes):
    """A piece of finished text."""


def _pieces(value: object) -> list[bytes]:
    """The text of a deep value in pieces, by a stack instead of recursion."""
    pieces: list[bytes] = []
    stack: list[object] = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, _Written):
            pieces.append(top)
        elif isinstance(top, dict) and top:
            separator = b"{"
            parts: list[object] = []
            for name, field in top.items():
                parts += (_Written(separator + orjson.dumps({name: 0})[1:-2]), field)
                separator = b","
            stack += (_Written(b"}"), *reversed(parts))
        elif isinstance(top, list) and top:
            parts = [_Written(b"[")]
            for element in top:
                parts += (element, _Written(b","))
            parts[-1] = _Written(b"]")
            stack += reversed(parts)
        else:
            pieces.append(orjson.dumps(top))
    return pieces
