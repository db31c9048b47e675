"""Reading a contract's values one by one: each is there and sound, not there, or a mistake noted at its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from pipeline.codec.contract.yaml_document import Document, Place, Plain, place_text, shown
from pipeline.model.errors import Mistake
from pipeline.model.instants import EARLIEST_AT, LATEST_AT, at_datetime, at_midnight
from pipeline.model.money import parse_money
from pipeline.policy.durations import parse_duration


@dataclass(slots=True)
class Notes:
    """The mistakes and warnings found so far, and the places whose values are not to be used."""

    document: Document
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    _unusable: set[Place] = field(default_factory=set)

    def mistake(self, place: Place, reason: str, remedy: str) -> None:
        self.mistakes.append(Mistake(self.document.line(place), place_text(place), reason, remedy))

    def unusable(self, place: Place, reason: str, remedy: str) -> None:
        """A mistake that leaves no value to go on with."""
        self.mistake(place, reason, remedy)
        self.withhold(place)

    def withhold(self, place: Place) -> None:
        """Keep a value that has its mistake already from being used."""
        self._unusable.add(place)

    def warning(self, place: Place, reason: str, remedy: str) -> None:
        self.warnings.append(Mistake(self.document.line(place), place_text(place), reason, remedy))

    def is_usable(self, place: Place) -> bool:
        return place not in self._unusable


@dataclass(frozen=True, slots=True)
class ContractEntry:
    """A mapping in the file and where it is. A reader returns ``None`` for what is not there or not usable."""

    notes: Notes
    place: Place
    values: dict[str, Plain]

    def at(self, key: str) -> Place:
        return (*self.place, key)

    @property
    def line(self) -> int:
        return self.notes.document.line(self.place)

    def line_of(self, key: str) -> int:
        return self.notes.document.line(self.at(key))

    def has(self, key: str) -> bool:
        return key in self.values

    def value(self, key: str) -> Plain:
        return self.values.get(key) if self.notes.is_usable(self.at(key)) else None

    def is_sound(self, *keys: str) -> bool:
        """Whether each of these is either not there or usable."""
        return all(not self.has(key) or self.notes.is_usable(self.at(key)) for key in keys)

    def text(self, key: str) -> str | None:
        value = self.value(key)
        return value if isinstance(value, str) else None

    def whole(self, key: str) -> int | None:
        value = self.value(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, key: str) -> bool | None:
        value = self.value(key)
        return value if isinstance(value, bool) else None

    def instant(self, key: str) -> int | None:
        """A date, or a date and time with its zone, as epoch milliseconds; the schema has seen to its form."""
        text = self.text(key)
        if text is None:
            return None
        try:
            if len(text) == 10:
                at = at_midnight(date.fromisoformat(text))
            else:
                at = at_datetime(datetime.fromisoformat(text.upper()))
        except (ValueError, OverflowError):
            reason = f"{shown(text)} is not in the calendar or on the clock"
            self.notes.unusable(self.at(key), reason, "Correct the date or the time.")
            return None
        if not EARLIEST_AT <= at <= LATEST_AT:
            remedy = "Correct the year; what has no end is written without until."
            self.notes.unusable(self.at(key), f"{shown(text)} lies outside the years 2000 to 2100", remedy)
            return None
        return at

    def duration(self, key: str) -> int | None:
        """A duration in milliseconds; the schema has seen to its form."""
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
            self.notes.unusable(self.at(key), str(error), "Round it to the currency's smallest unit, in quotes.")
            return None

    def check_span(self, from_at: int | None, until_at: int | None) -> bool:
        """Whether ``from`` and ``until`` are usable together; ``until`` is exclusive, so it lies after ``from``."""
        if from_at is not None and until_at is not None and until_at <= from_at:
            remedy = "until is the first moment no longer meant: make it later than from."
            self.notes.mistake(self.at("until"), "ends before it begins, or as it begins", remedy)
            return False
        return self.is_sound("from", "until")

    def entries(self, key: str) -> Iterator[ContractEntry]:
        """The mappings in a list, in order."""
        items = self.value(key)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            place = (*self.at(key), index)
            if isinstance(item, dict) and self.notes.is_usable(place):
                yield ContractEntry(self.notes, place, item)

    def named(self, key: str) -> Iterator[tuple[str, ContractEntry]]:
        """The names in a mapping and their entries; an empty entry where the value is not usable."""
        items = self.value(key)
        for name, item in (items if isinstance(items, dict) else {}).items():
            yield name, ContractEntry(self.notes, (*self.at(key), name), item if isinstance(item, dict) else {})
