"""A message's JSON object, read field by field: every mistake is noted with its field and remedy."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeVar, cast

from pipeline.codec.field_reader import FieldReader
from pipeline.codec.json_text import Json, NotJson, parse_json
from pipeline.model.text import CONTROL_CHARACTER, CONTROL_EXCEPT_LINE_FEED, TEXT_LENGTH_MAX, fold

PROSE_LENGTH_MAX: Final = 2_000
"""Characters of a reason or a comment."""
WHOLE_MAX: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exact."""

_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True, slots=True)
class FieldMistake:
    """One mistake in a message: the field at fault (``''``: the whole), reason, remedy."""

    field: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}. {self.remedy}" if self.field else f"{self.reason}. {self.remedy}"


class MessageInvalid(ValueError):
    """A message that is not what its topic holds, with every mistake in it."""

    def __init__(self, mistakes: Iterable[FieldMistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(map(str, self.mistakes)))

    @classmethod
    def whole(cls, reason: str, remedy: str) -> Self:
        """The mistake is that of the message as a whole."""
        return cls([FieldMistake("", f"the message {reason}", remedy)])


class JsonFields(FieldReader):
    """The fields of one object. Where a field is wrong, its reader notes that and returns an empty value to go on with.

    ``null`` is the same as a field that is absent.
    """

    __slots__ = ("_path", "_read", "mistakes")

    def __init__(self, values: Mapping[str, Json], path: str = "", mistakes: list[FieldMistake] | None = None) -> None:
        super().__init__(values)
        self.mistakes: list[FieldMistake] = [] if mistakes is None else mistakes
        self._path = path
        self._read: set[str] = set()

    @classmethod
    def of_message(cls, value: bytes, invalid: type[MessageInvalid] = MessageInvalid) -> Self:
        """The fields of a message that is one JSON object. Raises ``invalid``."""
        try:
            record = parse_json(value)
        except NotJson as error:
            raise invalid.whole(f"is not JSON ({error})", "Write one JSON object") from error
        if not isinstance(record, dict):
            raise invalid.whole("is not a JSON object", "Write one JSON object")
        return cls(record)

    def raise_mistakes(self, invalid: type[MessageInvalid] = MessageInvalid) -> None:
        """Raise ``invalid`` where a mistake was noted."""
        if self.mistakes:
            raise invalid(self.mistakes)

    def mistake(self, field: str, reason: str, remedy: str) -> None:
        """Note a mistake at a field."""
        self.mistakes.append(FieldMistake(f"{self._path}{field}", reason, remedy))

    def unusable(self, field: str, reason: str, remedy: str) -> None:
        """Note a mistake; the value itself is read on."""
        self.mistake(field, reason, remedy)

    def wrong_type(self, field: str, value: Json, wanted: str) -> None:
        """Note that a value has another type."""
        self.mistake(field, f"is {_shown(value)}", f"Give {wanted}")

    def inner(self, field: str, index: int, values: dict[str, Json]) -> Self:
        """The fields of an object in a list."""
        return type(self)(values, f"{self._path}{field}[{index}].", self.mistakes)

    def object(self, field: str) -> Self:
        """The fields of an object that is a field's value."""
        value = self._stated(field)
        if value is not None and not isinstance(value, dict):
            self.wrong_type(field, value, "an object")
        return type(self)(value if isinstance(value, dict) else {}, f"{self._path}{field}.", self.mistakes)

    def has(self, field: str) -> bool:
        """Whether a field has a value."""
        return self.values.get(field) is not None

    def check_version(self, version: int) -> None:
        """Note that ``v`` is not the version that this program reads."""
        stated = self.whole("v")
        if stated != version and type(self.values.get("v")) is int:
            self.mistake("v", f"version {stated!r} is not one that this program reads", f"Write {version}")

    def text(self, field: str, *, required: bool = True) -> str:
        """A name, 1 to 200 characters without control characters; ``''`` where it is absent."""
        return self._limited_text(field, required, TEXT_LENGTH_MAX, CONTROL_CHARACTER)

    def name(self, field: str, *, required: bool = True) -> str:
        """A user or a machine, folded as stored evidence is."""
        return fold(self.text(field, required=required))

    def prose(self, field: str, *, required: bool = True) -> str:
        """A reason or a comment, of several lines perhaps."""
        return self._limited_text(field, required, PROSE_LENGTH_MAX, CONTROL_EXCEPT_LINE_FEED)

    def any_text(self, field: str) -> str:
        """A text of any length and content."""
        value = self._stated(field)
        if type(value) is str:
            return value
        if value is not None:
            self.wrong_type(field, value, "a text")
        return ""

    def instant(self, field: str, *, required: bool = True) -> int:
        """Epoch milliseconds UTC of the years 2000 to 2100; 0 where it is absent."""
        value = self.whole(field, required=required, least=None)
        if type(self.values.get(field)) is int:
            self.check_years(field, value, str(value), "Give epoch milliseconds UTC")
        return value

    def optional_instant(self, field: str) -> int | None:
        """The same; ``None`` where it is absent."""
        value = self.instant(field, required=False)
        return value if self.has(field) else None

    def whole(self, field: str, *, required: bool = True, least: int | None = 0, most: int = WHOLE_MAX) -> int:
        """A whole number; 0 where it is absent. ``least`` of ``None`` is no bound, neither below nor above."""
        value = self._stated(field, required)
        if type(value) is int:
            if least is not None and not least <= value <= most:
                remedy = f"from {least} on" if value < least else f"of {most:,} at most"
                self.mistake(field, f"is {value}", f"Give a whole number {remedy}")
            return value
        if value is not None:
            self.wrong_type(field, value, "a whole number")
        return 0

    def optional_whole(self, field: str) -> int | None:
        """The same; ``None`` where it is absent."""
        value = self.whole(field, required=False)
        return value if self.has(field) else None

    def flag(self, field: str) -> bool:
        """True or false; false where it is absent."""
        return self._stated(field) is not None and super().flag(field) is True

    def choice(self, field: str, choices: Iterable[_Choice], *, required: bool = True) -> _Choice | None:
        """One of several texts."""
        value, allowed = self._stated(field, required), tuple(choices)
        if value is None:
            return None
        if value not in cast(Container[Json], allowed):
            self.mistake(field, f"is {_shown(value)}", f"Give one of {', '.join(allowed)}")
            return None
        return cast(_Choice, value)

    def matching(self, field: str, pattern: re.Pattern[str], example: str) -> str:
        """A text of a fixed form."""
        value = self.text(field)
        if value and not pattern.fullmatch(value):
            self.mistake(field, f"is {_shown(value)}", f"Give it as {example}")
        return value

    def entries(self, field: str, *, may_be_empty: bool = False) -> Iterator[Self]:
        """The objects in a list, which holds at least one unless it ``may_be_empty``."""
        value = self._stated(field)
        if isinstance(value, list) and (value or may_be_empty):
            return super().entries(field)
        if value is not None:
            self.wrong_type(field, value, "a list of at least one object")
        return iter(())

    def check_span(self, from_at: int, until_at: int) -> None:
        """Note where ``until``, the first moment no longer meant, is not after ``from``."""
        if self.has("from") and self.has("until") and until_at <= from_at:
            remedy = "until is the first moment no longer meant: make it later than from"
            self.mistake("until", "is not after from", remedy)

    def nothing_else(self, what: str = "order") -> None:
        """Note every field that was not read: a misspelt field must not pass for an absent one."""
        if self.values.keys() <= self._read:
            return
        for field in sorted(self.values.keys() - self._read):
            self.mistake(_shown(field)[1:-1], f"is not a field of this {what}", "Remove it, or correct its name")

    def _stated(self, field: str, required: bool = True) -> Json:
        self._read.add(field)
        value = self.values.get(field)
        if value is None and required:
            self.mistake(field, "is missing", "Add it")
        return value

    def _limited_text(self, field: str, required: bool, length_max: int, control: re.Pattern[str]) -> str:
        value = None if self._stated(field, required) is None else super().text(field)
        if value is None:
            return ""
        if not 0 < len(value) <= length_max:
            self.mistake(field, f"has {len(value):,} characters", f"Give 1 to {length_max:,}")
        if control.search(value):
            self.mistake(field, "holds a control character", "Remove it")
        return value


def _shown(value: Json) -> str:
    """A value in a sentence: short, and without what would move a cursor."""
    try:
        text = repr(value)
    except RecursionError:  # JSON may be nested more deeply than Python writes it
        return "nested too deeply"
    return text if len(text) <= 60 else f"{text[:57]}..."
