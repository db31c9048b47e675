"""A JSON object read field by field: every mistake is noted with its field and remedy, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from pipeline.codec.json_text import Json
from pipeline.model.instants import EARLIEST_AT, LATEST_AT
from pipeline.model.text import CONTROL_CHARACTER, CONTROL_EXCEPT_LINE_FEED, TEXT_LENGTH_MAX, fold

PROSE_LENGTH_MAX: Final = 2_000
WHOLE_MAX: Final = 2**53 - 1
"""The largest whole number that every reader of JSON takes for itself."""

Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, slots=True)
class FieldMistake:
    """One mistake in a record: the field at fault (``''``: the whole), reason, remedy."""

    field: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}. {self.remedy}" if self.field else f"{self.reason}. {self.remedy}"


class Fields:
    """The fields of one object. A reader gives a value to go on with where the field is wrong, and notes that.

    ``null`` is as good as a field that is not there.
    """

    def __init__(self, values: dict[str, Json], path: str = "", mistakes: list[FieldMistake] | None = None) -> None:
        self.mistakes: list[FieldMistake] = [] if mistakes is None else mistakes
        self._values, self._path, self._known = values, path, set[str]()

    def wrong(self, field: str, reason: str, remedy: str) -> None:
        self.mistakes.append(FieldMistake(f"{self._path}{field}", reason, remedy))

    def has(self, field: str) -> bool:
        return self._values.get(field) is not None

    def text(self, field: str, *, required: bool = True) -> str:
        """A name, 1 to 200 characters without control characters; ``''`` where it is not there."""
        return self._text(field, required, TEXT_LENGTH_MAX, CONTROL_CHARACTER)

    def name(self, field: str, *, required: bool = True) -> str:
        """A user or a machine, folded as stored evidence is."""
        return fold(self.text(field, required=required))

    def prose(self, field: str, *, required: bool = True) -> str:
        """What somebody has to say, in lines."""
        return self._text(field, required, PROSE_LENGTH_MAX, CONTROL_EXCEPT_LINE_FEED)

    def whole_text(self, field: str) -> str:
        """A text of any length and content."""
        value = self._value(field, required=True)
        if not isinstance(value, str):
            self._wrong_type(field, value, "a text")
            return ""
        return value

    def instant(self, field: str, *, required: bool = True) -> int:
        """Epoch milliseconds UTC of the years 2000 to 2100; 0 where it is not there."""
        value = self.whole(field, required=required, least=None)
        if self.has(field) and type(self._values[field]) is int and not EARLIEST_AT <= value <= LATEST_AT:
            self.wrong(field, f"{value} lies outside the years 2000 to 2100", "Give epoch milliseconds UTC")
        return value

    def optional_instant(self, field: str) -> int | None:
        value = self.instant(field, required=False)
        return value if self.has(field) else None

    def whole(self, field: str, *, required: bool = True, least: int | None = 0) -> int:
        """A whole number; 0 where it is not there."""
        value = self._value(field, required=required)
        if value is None:
            return 0
        if type(value) is not int:
            self._wrong_type(field, value, "a whole number")
            return 0
        if least is not None and not least <= value <= WHOLE_MAX:
            self.wrong(field, f"is {value}", f"Give a whole number from {least} on")
        return value

    def optional_whole(self, field: str) -> int | None:
        value = self.whole(field, required=False)
        return value if self.has(field) else None

    def flag(self, field: str) -> bool:
        value = self._value(field, required=True)
        if value is not None and not isinstance(value, bool):
            self._wrong_type(field, value, "true or false")
        return value is True

    def choice(self, field: str, choices: Iterable[Choice], *, required: bool = True) -> Choice | None:
        value, known = self._value(field, required=required), tuple(choices)
        if value is None:
            return None
        if value not in cast(Container[Json], known):
            self.wrong(field, f"is {_shown(value)}", f"Give one of {', '.join(known)}")
            return None
        return cast(Choice, value)

    def matching(self, field: str, pattern: re.Pattern[str], like: str) -> str:
        """A text of a fixed form."""
        value = self.text(field)
        if value and not pattern.fullmatch(value):
            self.wrong(field, f"is {_shown(value)}", f"Give it as {like}")
        return value

    def entries(self, field: str) -> list[Fields]:
        """The objects in a list that holds at least one."""
        value = self._value(field, required=True)
        if value is None:
            return []
        if not isinstance(value, list) or not value:
            self._wrong_type(field, value, "a list of at least one object")
            return []
        found = []
        for index, entry in enumerate(value):
            if isinstance(entry, dict):
                found.append(Fields(entry, f"{self._path}{field}[{index}].", self.mistakes))
            else:
                self.wrong(f"{field}[{index}]", f"is {_shown(entry)}", "Give an object")
        return found

    def nothing_else(self) -> None:
        """Note what was not read: a misspelt field must not pass for one that was left out."""
        for field in sorted(set(self._values) - self._known):
            self.wrong(_shown(field)[1:-1], "is not a field of this order", "Remove it, or correct its name")

    def _value(self, field: str, *, required: bool) -> Json:
        self._known.add(field)
        value = self._values.get(field)
        if value is None and required:
            self.wrong(field, "is missing", "Add it")
        return value

    def _text(self, field: str, required: bool, length_max: int, control: re.Pattern[str]) -> str:
        value = self._value(field, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._wrong_type(field, value, "a text")
            return ""
        if not 0 < len(value) <= length_max:
            self.wrong(field, f"has {len(value):,} characters", f"Give 1 to {length_max:,}")
        if control.search(value):
            self.wrong(field, "holds a control character", "Remove it")
        return value

    def _wrong_type(self, field: str, value: Json, wanted: str) -> None:
        if value is not None:
            self.wrong(field, f"is {_shown(value)}", f"Give {wanted}")


def _shown(value: Json) -> str:
    """A value in a sentence: short, and without what would move a cursor."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
