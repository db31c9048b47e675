"""The languages of a ticket: texts as data (``texts/*.yaml``), with the plurals, numbers and dates of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal, TypedDict, cast, get_args

from ruamel.yaml import YAML

from pipeline.model.instants import calendar_day, day_of, iso
from pipeline.model.money import format_money

Tongue = Literal["en", "fr", "cs"]
"""A language by its ISO 639 code."""
TONGUES: Final[tuple[Tongue, ...]] = get_args(Tongue)
Plural = Literal["one", "few", "other"]
"""A plural form by its CLDR name."""

Phrase = str | dict[Plural, str]
"""A text, or its plural forms."""


class _NumberFormat(TypedDict):
    decimal: str
    group: str
    date: str
    date_first: str
    quarter: str


class _LanguageFile(TypedDict):
    format: _NumberFormat
    months: list[str]
    flags: dict[str, str]
    meanings: dict[str, str]
    texts: dict[str, Phrase]


def plural_of(tongue: Tongue, n: int) -> Plural:
    """The plural form for a whole number that is not negative: French takes ``one`` for 0, Czech ``few`` for 2 to 4."""
    if n == 1 or (tongue == "fr" and n == 0):
        return "one"
    return "few" if tongue == "cs" and 2 <= n <= 4 else "other"


@dataclass(frozen=True, slots=True)
class Language:
    """A language with its texts. ``flags`` are the flags' names, ``meanings`` what they say of a session."""

    tongue: Tongue
    format: _NumberFormat
    months: tuple[str, ...]
    flags: Mapping[str, str]
    meanings: Mapping[str, str]
    texts: Mapping[str, Phrase]

    def say(self, key: str, n: int | None = None, /, **values: str) -> str:
        """A text with its values in place; ``n`` chooses the plural form and is written as a number."""
        text = self.texts[key]
        if isinstance(text, dict):
            text = text[plural_of(self.tongue, 0 if n is None else n)]
        return text.format(**values, **({} if n is None else {"n": self.number(n)}))

    def number(self, n: int) -> str:
        """A whole number in groups of three digits."""
        return f"{n:,}".replace(",", self.format["group"])

    def money(self, minor: int, currency: str) -> str:
        """An amount with its currency: ``65,720.00 EUR``, in Czech and French with a comma and spaces."""
        whole, point, decimals = format_money(abs(minor), currency).partition(".")
        sign = "-" if minor < 0 else ""
        return f"{sign}{self.number(int(whole))}{self.format['decimal'] if point else ''}{decimals}\u00a0{currency}"

    def date(self, at: int) -> str:
        """The UTC day of an instant, as it is written in a sentence."""
        day = calendar_day(day_of(at))
        form = self.format["date_first" if day.day == 1 else "date"]
        return form.format(day=day.day, month=self.months[day.month - 1], year=day.year)

    def quarter(self, period: str) -> str:
        """``2022Q2`` as people write it."""
        year, _, quarter = period.partition("Q")
        return self.format["quarter"].format(quarter=quarter, year=year)


def clock(at: int) -> str:
    """The UTC time of day of an instant, to the minute."""
    return iso(at)[11:16]


@cache
def language(tongue: Tongue) -> Language:
    """A language from its file, which is read only once."""
    text = files(__package__).joinpath("texts", f"{tongue}.yaml").read_text(encoding="utf-8")
    read = cast(_LanguageFile, YAML(typ="safe", pure=True).load(text))
    return Language(
        tongue=tongue,
        format=read["format"],
        months=tuple(read["months"]),
        flags=read["flags"],
        meanings=read["meanings"],
        texts=read["texts"],
    )
