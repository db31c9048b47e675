"""Kafka keys: the exact bytes, with test vectors in ``schemas/topics/keys.yaml``.

A key of several parts is its length-prefixed tuple: each part as UTF-8 behind its length in bytes, four bytes
big-endian. No separator can make two tuples alike. The broker's murmur2 of these bytes chooses the partition.
"""

from __future__ import annotations

from typing import Final

_LENGTH_BYTES: Final = 4


def encode_key(*parts: str) -> bytes:
    """The key of a tuple of texts."""
    encoded = [part.encode("utf-8") for part in parts]
    return b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in encoded)


def decode_key(key: bytes) -> tuple[str, ...]:
    """The parts of a key. Raises ``ValueError`` where it is not a length-prefixed tuple."""
    parts, position = [], 0
    while position < len(key):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(key[position:start], "big")
        if position > len(key):
            raise ValueError("not a length-prefixed tuple: a part ends beyond the key")
        parts.append(key[start:position].decode("utf-8"))
    return tuple(parts)


def account_of(key: bytes | None) -> str:
    """The account a key names, ``''`` where there is none to read."""
    if not key:
        return ""
    try:
        parts = decode_key(key)
    except ValueError:
        return ""
    return parts[0] if parts else ""
