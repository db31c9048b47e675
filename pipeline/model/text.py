"""Texts that are compared: users and machines after Unicode NFC and case folding (RULES 1)."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """A user or machine as it is compared and stored; folding twice changes nothing."""
    return normalize("NFC", normalize("NFC", text).casefold())
