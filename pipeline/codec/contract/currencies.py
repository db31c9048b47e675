"""The codes of ISO 4217, from ``currencies.txt``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def currencies() -> frozenset[str]:
    """Every code that is in use, or was since the first metering policies begin."""
    text = files(__package__).joinpath("currencies.txt").read_text(encoding="ascii")
    return frozenset(code for line in text.splitlines() if not line.startswith("#") for code in line.split())
