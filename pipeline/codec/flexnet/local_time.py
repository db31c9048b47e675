"""From the server's local time to instants in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.model.errors import InputError
from pipeline.model.instants import MINUTE_MS, SECOND_MS

REPEATED_HOUR_LATE_MS: Final = 10 * MINUTE_MS
"""In the hour that the end of summer time repeats: a step back by more is the second pass, by less disorder."""
OFFSET_BLOCK_S: Final = 900
"""Zones change between quarters of an hour."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class LocalTime:
    """The server's time zone: local stamps to instants. Raises ``InputError`` for a zone nobody knows."""

    def __init__(self, timezone: str) -> None:
        try:
            self._zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InputError(
                f"timezone {timezone!r}", "is not a known time zone", "Give an IANA name such as Europe/Prague"
            ) from error
        self._offsets_ms: dict[int, tuple[int, int]] = {}

    def instant(self, stamp: int, latest_at: int | None) -> int:
        """The instant of a local stamp, where ``latest_at`` was logged before it.

        A repeated local time is its first pass, unless that lies clearly before what was already logged.
        """
        first_ms, second_ms = self._offsets(stamp // OFFSET_BLOCK_S)
        at = stamp * SECOND_MS - first_ms
        if first_ms > second_ms and latest_at is not None and at < latest_at - REPEATED_HOUR_LATE_MS:
            return stamp * SECOND_MS - second_ms
        return at

    def only_offset_ms(self, block: int) -> int | None:
        """The offset to UTC in a quarter of an hour (``stamp // OFFSET_BLOCK_S``); ``None`` where it comes twice."""
        first_ms, second_ms = self._offsets(block)
        return None if first_ms > second_ms else first_ms

    def _offsets(self, block: int) -> tuple[int, int]:
        """Offsets to UTC of a quarter of an hour's first and second pass."""
        offsets = self._offsets_ms.get(block)
        if offsets is not None:
            return offsets
        moment = (_EPOCH + timedelta(seconds=block * OFFSET_BLOCK_S)).replace(tzinfo=self._zone)
        offsets = self._offsets_ms[block] = (_offset_ms(moment), _offset_ms(moment.replace(fold=1)))
        return offsets


def _offset_ms(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None, "a zone of the database has an offset at any time"  # noqa: S101
    return int(offset.total_seconds()) * SECOND_MS
