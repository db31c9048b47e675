"""What writes heartbeats for a measurement must not take the cores from what is measured.

aiokafka compresses lz4 with level 9, at 6 us a heartbeat more than all of what is measured; level 1 takes 0.4 us, and a
quarter more bytes. aiokafka has no setting for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from aiokafka.codec import lz4_encode


@contextmanager
def quick_lz4() -> Iterator[None]:
    """Compress with level 1 meanwhile."""
    encode = cast(Any, lz4_encode)
    levels = encode.__defaults__
    encode.__defaults__ = (1,)
    try:
        yield
    finally:
        encode.__defaults__ = levels
