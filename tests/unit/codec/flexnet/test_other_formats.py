"""What a file that is no debug log looks like: compressed files, whose names do not say so."""

from __future__ import annotations

import gzip

import pytest
import zstandard

from pipeline.codec.flexnet.encodings import decode_line
from pipeline.codec.flexnet.other_formats import looks_like

LOG = b"".join(b' 8:%02d:00 (vd) OUT: "F1" ann@ws-%d\n' % (minute, minute) for minute in range(60))


@pytest.mark.parametrize(
    ("packed", "what", "ending"),
    [
        (gzip.compress(LOG, mtime=0), "a file compressed with gzip", ".gz"),
        (gzip.compress(b"", mtime=0), "a file compressed with gzip", ".gz"),
        (zstandard.ZstdCompressor().compress(LOG), "a file compressed with Zstandard", ".zst"),
    ],
)
def test_a_compressed_log_under_another_name_is_recognised(packed: bytes, what: str, ending: str) -> None:
    looks, remedy = looks_like("\n".join(decode_line(line) for line in packed.split(b"\n")))
    assert looks == what
    assert ending in remedy
