"""Durations as policy tables and contracts write them: ``10m``, ``24h``, ``1d``, ``90s``."""

from __future__ import annotations

import re
from typing import Final

from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_DURATION: Final = re.compile(r"(\d{1,6})(s|m|h|d)", re.ASCII)
_UNIT_MS: Final = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


def parse_duration(text: str) -> int:
    """``12m`` in milliseconds. Raises ``ValueError`` naming the form expected."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 90s, 12m, 24h or 1d")
    return int(match[1]) * _UNIT_MS[match[2]]
