"""Why no line of a file holds a heartbeat: what the beginning of the file looks like, and what to do about it."""

from __future__ import annotations

import re
from typing import Final

from pipeline.codec.json_text import NotJson, parse_json

BEGINNING_BYTES: Final = 64 * 1024
"""As much of a file as tells what it is."""

_PACKED: Final = (
    (b"\x1f\x8b", "is compressed with gzip, and its name does not end in .gz. Rename or unpack it"),
    (b"\x28\xb5\x2f\xfd", "is compressed with Zstandard, and its name does not end in .zst. Rename or unpack it"),
    (b"PK\x03\x04", "is a ZIP archive. Unpack it, or pack it with gzip"),
    (b"BZh", "is compressed with bzip2. Unpack it, or pack it with gzip"),
    (b"\xfd7zXZ\x00", "is compressed with xz. Unpack it, or pack it with gzip"),
)
_UTF_32_MARKS: Final = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_SERVER_LOG: Final = re.compile(rb"\s*(?:\S+ )?\d?\d:\d\d:\d\d \([^)]+\) ")


def heartbeat_file_hint(beginning: bytes) -> str | None:
    """What a file is that holds no heartbeats by the line, and the remedy; ``None`` where nothing is recognised.

    ``beginning`` is unpacked where the name of the file says that it is packed.
    """
    for magic, hint in _PACKED:
        if beginning.startswith(magic):
            return hint
    return _encoding_hint(beginning) or _line_end_hint(beginning) or _layout_hint(beginning)


def _encoding_hint(beginning: bytes) -> str | None:
    if beginning.startswith(_UTF_32_MARKS):
        return "is in UTF-32. Convert it with: iconv -f UTF-32 -t UTF-8"
    marked, sample = beginning.startswith(_UTF_16_MARKS), beginning[:400]
    if sample.count(0) * 3 > len(sample) or (marked and 0 in sample):  # half of an ASCII text in UTF-16 is zeros
        big_endian = not marked and beginning[:1] == b"\x00"
        encoding = "UTF-16" if marked else "UTF-16BE" if big_endian else "UTF-16LE"
        return f"is in UTF-16. Convert it with: iconv -f {encoding} -t UTF-8"
    return None


def _line_end_hint(beginning: bytes) -> str | None:
    if b"\n" not in beginning and b"\r" in beginning.strip():
        return "ends its lines with a carriage return alone. Convert it with: tr '\\r' '\\n'"
    return None


def _layout_hint(beginning: bytes) -> str | None:
    first, second, *_ = *(line for line in map(bytes.strip, beginning.split(b"\n")) if line), b"", b""
    if _SERVER_LOG.match(first):
        return "looks like the debug log of a licence server. Give --format flexnet"
    is_open = first[:1] in {b"{", b"["} and first[-1:] in {b"{", b"[", b","}
    if is_open and second and not _is_json(second):  # else the first line alone is broken
        return "holds JSON laid out over several lines, but a line must hold it whole. Convert it with: jq -c ."
    return None


def _is_json(line: bytes) -> bool:
    try:
        parse_json(line)
    except NotJson:
        return False
    return True
