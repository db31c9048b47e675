"""JSON written again, however deeply it is nested.

``orjson`` reads 1,024 levels and writes 254. What lies between must not lose its text, nor take the text of the
whole frame in its place: a frame of many such members would be multiplied by their number.
"""

from __future__ import annotations

import orjson

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def json_bytes(value: Json) -> bytes:
    """Parsed JSON as compact UTF-8 text, of any depth."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return b"".join(_pieces(value))


def _pieces(value: Json) -> list[bytes]:
    """The text piece by piece: a stack instead of recursion; bytes on it are text that waits for its turn."""
    pieces: list[bytes] = []
    waiting: list[Json | bytes] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, bytes):
            pieces.append(one)
        elif isinstance(one, dict) and one:
            opened = b"{"
            later: list[Json | bytes] = []
            for name, field in one.items():
                later += (opened + orjson.dumps(name) + b":", field)
                opened = b","
            waiting += (b"}", *reversed(later))
        elif isinstance(one, list) and one:
            later = [b"["]
            for element in one:
                later += (element, b",")
            later[-1] = b"]"
            waiting += reversed(later)
        else:
            pieces.append(orjson.dumps(one))
    return pieces
