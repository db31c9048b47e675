"""Names in evidence and orders: how long they may be, which characters they may not hold, how they are compared."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import normalize

TEXT_LENGTH_MAX: Final = 200
"""Characters of a name: an account, a product, a user (RULES 1)."""

CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What no name may hold (C0, delete, C1)."""
CONTROL_EXCEPT_LINE_FEED: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""What a text of several lines may not hold."""


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """A user or machine as it is compared and stored: Unicode NFC and case folding (RULES 1). Idempotent."""
    return normalize("NFC", normalize("NFC", text).casefold())
