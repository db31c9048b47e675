"""Distinct values of columns, numbered: a fleet has few accounts, and few kinds of what its clients say of themselves.

Each distinct value is judged once, by the same words as a whole heartbeat (``codec/topics/heartbeats.py``).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.codec.json_text import Json
from pipeline.codec.topics.heartbeats import VERSION, judge
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import EARLIEST_AT

Numbers = NDArray[np.int32]

DISTINCT_MAX: Final = 65_536
"""Accounts, and kinds, that are remembered from one checkpoint to the next."""
REFUSED: Final = -1
"""The number of every value that is not valid."""
KIND_FIELDS: Final = ("v", "product", "country", "usage", "version", "state", "platform")
_MODEL: Final[dict[str, Json]] = {
    "v": VERSION, "account": "a", "product": "p", "machine": "m", "user": "u", "session": "s",
    "opened_at": EARLIEST_AT, "at": EARLIEST_AT,
}  # fmt: skip
"""A valid heartbeat: with an account or a kind put in, it shows whether those are valid."""

Value = TypeVar("Value")


class Kind(NamedTuple):
    """What a client says of its program and of the state of its session."""

    product: str
    country: str
    usage: str
    version: str
    is_close: bool


class Distinct(dict[object, int], Generic[Value]):
    """Numbers for the distinct values of a column, and what they mean. What is not valid is not remembered."""

    def __init__(self, judged: Callable[[object], Value | None]) -> None:
        super().__init__()
        self.meanings: list[Value] = []
        self._judged = judged

    def __missing__(self, value: object) -> int:
        meaning = self._judged(value)
        if meaning is None:
            return REFUSED
        self[value] = len(self.meanings)
        self.meanings.append(meaning)
        return self[value]

    def numbers(self, values: Iterable[object]) -> Numbers:
        """The number of each value."""
        values = list(values)
        try:
            numbers = array("i", map(self.__getitem__, values))
        except TypeError:  # arrays and objects
            numbers = array("i", (self[value] if _is_hashable(value) else REFUSED for value in values))
        return np.frombuffer(numbers, np.int32)

    def forget_if_many(self) -> None:
        """Begin anew where there are too many to remember; numbers given before mean nothing then."""
        if len(self) > DISTINCT_MAX:
            self.clear()
            self.meanings = []


def distinct_accounts() -> Distinct[str]:
    """Accounts, none yet."""
    return Distinct(_account)


def distinct_kinds() -> Distinct[Kind]:
    """Kinds, none yet; the values are those of ``KIND_FIELDS``, ``None`` where a field is absent."""
    return Distinct(_kind)


def kind_values(heartbeat: Heartbeat) -> tuple[object, ...]:
    """The values of a heartbeat that give its kind."""
    product, country, version = heartbeat.product, heartbeat.country or None, heartbeat.version or None
    return (VERSION, product, country, heartbeat.usage, version, heartbeat.state, None)


def _account(value: object) -> str | None:
    judged = judge({**_MODEL, "account": value})  # type: ignore[dict-item]  # any JSON value
    return judged.account if isinstance(judged, Heartbeat) else None


def _kind(values: object) -> Kind | None:
    judged = judge({**_MODEL, **dict(zip(KIND_FIELDS, values, strict=True))})  # type: ignore[call-overload]  # a tuple
    if not isinstance(judged, Heartbeat):
        return None
    return Kind(judged.product, judged.country, judged.usage, judged.version, judged.state == "close")


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
