"""Reading a contract's values one by one: each is there and usable, or absent, or a mistake noted at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Self

from pipeline.codec.contract.yaml_document import ContractPath, Document, path_text, shown
from pipeline.codec.field_reader import FieldReader
from pipeline.codec.json_text import Json
from pipeline.model.errors import Mistake
from pipeline.model.instants import at_datetime, at_midnight
from pipeline.model.money import parse_money
from pipeline.policy.durations import parse_duration


@dataclass(slots=True)
class Notes:
    """The mistakes and warnings noted so far, and the places whose values are not to be used."""

    document: Document
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    _unusable: set[ContractPath] = field(default_factory=set)

    def mistake(self, place: ContractPath, reason: str, remedy: str) -> None:
        """Note a mistake. The value at ``place`` may still be read."""
        self.mistakes.append(Mistake(self.document.line(place), path_text(place), reason, remedy))

    def unusable(self, place: ContractPath, reason: str, remedy: str) -> None:
        """Note a mistake that leaves no value to go on with."""
        self.mistake(place, reason, remedy)
        self.withhold(place)

    def withhold(self, place: ContractPath) -> None:
        """Keep a value from being used whose mistake is noted already."""
        self._unusable.add(place)

    def warning(self, place: ContractPath, reason: str, remedy: str) -> None:
        """Note what is no mistake but deserves a second look."""
        self.warnings.append(Mistake(self.document.line(place), path_text(place), reason, remedy))

    def is_usable(self, place: ContractPath) -> bool:
        """Whether the value at a place may be used."""
        return place not in self._unusable


class ContractEntry(FieldReader):
    """A mapping in a contract's file and where it stands. The file's schema has checked the types of its values."""

    __slots__ = ("notes", "place")

    def __init__(self, notes: Notes, place: ContractPath, values: Mapping[str, Json]) -> None:
        super().__init__(values)
        self.notes, self.place = notes, place

    @property
    def line(self) -> int:
        """The line where the entry begins."""
        return self.notes.document.line(self.place)

    def at(self, key: str) -> ContractPath:
        """The place of one of its values; ``''`` is the entry itself."""
        return (*self.place, key) if key else self.place

    def mistake(self, field: str, reason: str, remedy: str) -> None:
        """Note a mistake at a key."""
        self.notes.mistake(self.at(field), reason, remedy)

    def unusable(self, field: str, reason: str, remedy: str) -> None:
        """Note a mistake at a key and keep its value from being used."""
        self.notes.unusable(self.at(field), reason, remedy)

    def warning(self, reason: str, remedy: str) -> None:
        """Note that the entry deserves a second look."""
        self.notes.warning(self.place, reason, remedy)

    def wrong_type(self, field: str, value: Json, wanted: str) -> None:
        """Nothing: the schema has noted it (``schema_mistakes.py``)."""

    def inner(self, field: str, index: int, values: dict[str, Json]) -> Self | None:
        """A mapping in a list, unless it is not usable."""
        place = (*self.at(field), index)
        return type(self)(self.notes, place, values) if self.notes.is_usable(place) else None

    def value(self, field: str) -> Json:
        """A value as it stands; ``None`` where it is not usable."""
        return self.values.get(field) if self.notes.is_usable(self.at(field)) else None

    def has(self, key: str) -> bool:
        """Whether a key is written, with whatever value."""
        return key in self.values

    def is_sound(self, *keys: str) -> bool:
        """Whether each of these is either absent or usable."""
        return all(not self.has(key) or self.notes.is_usable(self.at(key)) for key in keys)

    def instant(self, key: str) -> int | None:
        """A date, or a date and time with its zone, as epoch milliseconds; the schema has checked its form."""
        text = self.text(key)
        if text is None:
            return None
        try:
            if len(text) == 10:
                at = at_midnight(date.fromisoformat(text))
            else:
                at = at_datetime(datetime.fromisoformat(text.upper()))
        except (ValueError, OverflowError):
            self.unusable(key, f"{shown(text)} is not in the calendar or on the clock", "Correct the date or the time.")
            return None
        remedy = "Correct the year; what has no end is written without until."
        return at if self.check_years(key, at, shown(text), remedy) else None

    def duration(self, key: str) -> int | None:
        """A duration in milliseconds; the schema has checked its form."""
        text = self.text(key)
        return None if text is None else parse_duration(text)

    def money(self, key: str, currency: str | None) -> int | None:
        """An amount in the currency's smallest unit; ``None`` as well where the currency is not usable."""
        text = self.text(key)
        if text is None or currency is None:
            return None
        try:
            return parse_money(text, currency)
        except ValueError as error:
            self.unusable(key, str(error), "Round it to the currency's smallest unit, in quotes.")
            return None

    def check_span(self, from_at: int | None, until_at: int | None) -> bool:
        """Whether ``from`` and ``until`` are usable together; ``until`` is exclusive, so it lies after ``from``."""
        if from_at is not None and until_at is not None and until_at <= from_at:
            remedy = "until is the first moment no longer meant: make it later than from."
            self.mistake("until", "ends before it begins, or as it begins", remedy)
            return False
        return self.is_sound("from", "until")

    def named(self, key: str) -> Iterator[tuple[str, Self]]:
        """The names in a mapping and their entries; an empty entry where the value is not usable."""
        items = self.value(key)
        for name, item in (items if isinstance(items, dict) else {}).items():
            yield name, type(self)(self.notes, (*self.at(key), name), item if isinstance(item, dict) else {})
