"""The text of a line, whatever the server's platform wrote it in, and even where that changes within a file."""

from __future__ import annotations

from typing import Final

_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


def decode_line(raw: bytes) -> str:
    """A line's text: UTF-8, UTF-16, else Windows-1252, else Latin-1, whose control characters give a bad name away.

    Lines are cut at the byte 0x0A, so a line in UTF-16 brings half of its neighbours' line ends along.
    """
    if raw.startswith(_MARKS):
        raw = raw.removeprefix(_MARKS[2]) if raw.startswith(_MARKS[2]) else raw[2:]
    if b"\0" in raw:
        text = _utf_16(raw)
        if text is not None:
            return text
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _utf_16(raw: bytes) -> str | None:
    """A line of UTF-16, little-endian or big-endian; ``None`` where it reads as neither.

    In little-endian text the line begins with the upper half of the line end before it; in big-endian text it ends with
    the upper half of its own.
    """
    readings: list[str] = []
    for encoding, halves in (("utf-16-le", raw.removeprefix(b"\0")), ("utf-16-be", raw)):
        whole = halves.removesuffix(b"\n")
        readings.append(whole[: len(whole) & ~1].decode(encoding, "replace"))
    best = max(readings, key=_ascii_characters)
    return best if "\0" not in best and _ascii_characters(best) * 2 >= len(best) else None


def _ascii_characters(text: str) -> int:
    return sum("\x00" < character < "\x80" for character in text)
