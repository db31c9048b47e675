"""What a file is that holds no heartbeats by the line, from its beginning."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma

import pytest
import zstandard

from pipeline.codec.heartbeat_file_hints import BEGINNING_BYTES, heartbeat_file_hint

BEATS = [{"v": 1, "account": "acme", "user": f"u{number}", "active_at": None} for number in range(300)]
LINES = "".join(json.dumps(beat) + "\n" for beat in BEATS)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (gzip.compress(LINES.encode(), mtime=0), "is compressed with gzip"),
        (zstandard.ZstdCompressor().compress(LINES.encode()), "is compressed with Zstandard"),
        (bz2.compress(LINES.encode()), "is compressed with bzip2"),
        (lzma.compress(LINES.encode()), "is compressed with xz"),
        (b"PK\x03\x04" + bytes(50), "is a ZIP archive"),
        (LINES.encode("utf-16"), "is in UTF-16. Convert it with: iconv -f UTF-16 "),
        (LINES.encode("utf-16-le"), "is in UTF-16. Convert it with: iconv -f UTF-16LE "),
        (LINES.encode("utf-16-be"), "is in UTF-16. Convert it with: iconv -f UTF-16BE "),
        (LINES.encode("utf-32"), "is in UTF-32"),
        (LINES.replace("\n", "\r").encode(), "ends its lines with a carriage return alone"),
        (json.dumps(BEATS, indent=2).encode(), "holds JSON laid out over several lines"),
        (json.dumps(BEATS[0], indent="\t").encode(), "holds JSON laid out over several lines"),
        (json.dumps(BEATS[0], indent=2).replace("\n", "\r\n").encode(), "holds JSON laid out over several lines"),
        (b"[\n" + ",\n".join(map(json.dumps, BEATS)).encode() + b"\n]\n", "holds JSON laid out over several lines"),
        (b'{ "v": 1,\n  "account": "acme" }\n', "holds JSON laid out over several lines"),
        (b" 9:10:00 (lmgrd) FlexNet Licensing started on srv1\n", "looks like the debug log of a licence server"),
    ],
)
def test_the_cause_is_recognised(content: bytes, hint: str) -> None:
    said = heartbeat_file_hint(content[:BEGINNING_BYTES])
    assert said is not None
    assert said.startswith(hint)
    assert ". " in said


@pytest.mark.parametrize(
    "content",
    [
        LINES.encode(),
        LINES.replace("\n", "\r\n").encode(),
        b"{\n" + LINES.encode(),
        b"{\n",
        b"\xff\xfe\n" + LINES.encode(),
        b"[%s]\n" % b",".join(LINES.encode().splitlines()),
        b"",
        b"\n\n",
        b"\r\n",
        b'{"v": 1}\r',
        b'{"v": 1, "account": "studio", "product": "MSTN"\n',
        b"\xff\n",
        b"17\n",
        "žluťoučký kůň\n".encode(),
    ],
)
def test_of_lines_nothing_is_said(content: bytes) -> None:
    assert heartbeat_file_hint(content) is None
