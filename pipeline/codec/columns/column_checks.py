"""Which fields of a column are plainly right: names, times, integers. What is doubtful is not vouched for."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.model.instants import EARLIEST_AT, LATEST_AT
from pipeline.model.text import TEXT_LENGTH_MAX, fold
from pipeline.rules.evidence.span_limit import SPAN_MS_MAX

Int64s = NDArray[np.int64]
Mask = NDArray[np.bool_]
Times = tuple[Int64s, Int64s, Int64s, Int64s, Int64s]
"""The columns of ``TIME_FIELDS``."""

TIME_FIELDS: Final = ("opened_at", "since", "at", "resumed_at", "active_at")
_ABSENT: Final = -2
_WRONG: Final = -1
_CONTROL: Final = r"[\x00-\x1f\x7f-\x{9f}]"


def are_integers(values: Sequence[object]) -> Mask | bool:
    """Which values are integers: ``True == 1 == 1.0``, so the number of a kind does not tell."""
    return set(map(type, values)) <= {int} or np.fromiter((type(value) is int for value in values), np.bool_)


def texts_of(values: Sequence[object]) -> pa.StringArray:
    """Texts; null where a value is none."""
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([value if type(value) is str else None for value in values], pa.string())


def are_names(texts: pa.StringArray) -> Mask:
    """Which texts are plainly names. Lengths are those of UTF-8, so a long one may be a name all the same."""
    _, offsets, _ = texts.buffers()
    lengths = np.diff(np.frombuffer(offsets, np.int32, len(texts) + 1))
    are_names = (lengths > 0) & (lengths <= TEXT_LENGTH_MAX)
    written = _written(texts)
    is_c1 = (written[:-1] == 0xC2) & (written[1:] < 0xA0)
    if (written < ord(" ")).any() or (written == 0x7F).any() or is_c1.any():
        are_names &= ~np.asarray(pc.match_substring_regex(texts.fill_null(""), _CONTROL))
    return are_names


def _written(texts: pa.StringArray) -> NDArray[np.uint8]:
    """The bytes of all texts, one behind the other."""
    content = texts.buffers()[2]
    return np.frombuffer(b"" if content is None else content, np.uint8)


def folded_names(texts: pa.StringArray) -> pa.StringArray:
    """Users or machines as they are compared (``model/text.py``)."""
    if (_written(texts) < 0x80).all():
        return pc.ascii_lower(texts)
    return pa.array([fold(text) for text in texts.to_pylist()], pa.string())


def times_of(values: Mapping[str, Sequence[object]]) -> Times:
    """The times of every row, with the defaults of RULES 1; what is no time at all is out of order."""
    opened_at, since, at, resumed_at, active_at = (_instants(values[name]) for name in TIME_FIELDS)
    if (since == _ABSENT).any():
        since = np.where(since == _ABSENT, at, since)
    has_resumed, has_active = resumed_at != _ABSENT, active_at != _ABSENT
    if not (has_resumed.all() and has_active.all()):
        resumed_at = np.where(has_resumed, resumed_at, np.where(has_active, _WRONG, opened_at))
        active_at = np.where(has_active, active_at, np.where(has_resumed, _WRONG, at))
    return opened_at, since, at, resumed_at, active_at


def _instants(values: Sequence[object]) -> Int64s:
    try:
        instants = np.frombuffer(array("q", cast(Sequence[int], values)), np.int64)  # raises for all but integers
    except (TypeError, OverflowError):
        return np.fromiter(map(_instant, values), np.int64)
    return np.where(instants == _ABSENT, _WRONG, instants) if instants.min() < 0 else instants


def _instant(value: object) -> int:
    if value is None:
        return _ABSENT
    return value if type(value) is int and EARLIEST_AT <= value < LATEST_AT else _WRONG


def are_in_order(opened_at: Int64s, since: Int64s, at: Int64s, resumed_at: Int64s, active_at: Int64s) -> Mask:
    """``rules/evidence/span_limit.py`` for columns. ``True`` as a time is 1, and so out of range."""
    return (
        (opened_at >= EARLIEST_AT) & (opened_at <= since) & (since <= at) & (at < LATEST_AT)
        & (at - opened_at <= SPAN_MS_MAX)
        & (opened_at <= resumed_at) & (resumed_at <= active_at) & (active_at <= at)
    )  # fmt: skip
