"""The fields of one object, read one by one: a mistake is noted at its field, and reading goes on.

This is what the two readers share. ``json_fields.JsonFields`` reads messages; its mistakes have a field, a reason and a
remedy. ``contract/entries.ContractEntry`` reads a contract, whose types its schema has checked before; its mistakes
have a line, a path, a reason and a remedy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Self, TypeVar

from pipeline.codec.json_text import Json
from pipeline.model.instants import EARLIEST_AT, LATEST_AT

_Type = TypeVar("_Type", str, int, bool)


class FieldReader(ABC):
    """The fields of one object. A reader returns ``None`` for a field that is absent or not usable."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, Json]) -> None:
        self.values = values

    @abstractmethod
    def mistake(self, field: str, reason: str, remedy: str) -> None:
        """Note a mistake at a field; ``''`` is the object as a whole."""

    @abstractmethod
    def unusable(self, field: str, reason: str, remedy: str) -> None:
        """Note a mistake that leaves no value to go on with."""

    @abstractmethod
    def wrong_type(self, field: str, value: Json, wanted: str) -> None:
        """Note that a value has another type than ``wanted``, such as ``a text``."""

    @abstractmethod
    def inner(self, field: str, index: int, values: dict[str, Json]) -> Self | None:
        """The reader of an object in a list; ``None`` where it is not usable."""

    def value(self, field: str) -> Json:
        """The value as it stands; ``None`` where it is not usable."""
        return self.values.get(field)

    def text(self, field: str) -> str | None:
        """A text."""
        return self._typed(field, str, "a text")

    def whole(self, field: str) -> int | None:
        """A whole number; ``true`` and ``1.0`` are none."""
        return self._typed(field, int, "a whole number")

    def flag(self, field: str) -> bool | None:
        """True or false."""
        return self._typed(field, bool, "true or false")

    def entries(self, field: str) -> Iterator[Self]:
        """The usable objects in a list, in order."""
        items = self.value(field)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if not isinstance(item, dict):
                self.wrong_type(f"{field}[{index}]", item, "an object")
            elif (entry := self.inner(field, index, item)) is not None:
                yield entry

    def check_years(self, field: str, at: int, written: str, remedy: str) -> bool:
        """Whether an instant lies inside the years 2000 to 2100."""
        if EARLIEST_AT <= at <= LATEST_AT:
            return True
        self.unusable(field, f"{written} lies outside the years 2000 to 2100", remedy)
        return False

    def _typed(self, field: str, type_: type[_Type], wanted: str) -> _Type | None:
        value = self.value(field)
        if value is None:
            return None
        if type(value) is not type_:  # not isinstance: True is an int
            self.wrong_type(field, value, wanted)
            return None
        return value
