"""FlexNet licence files: which features a server may hand out, how many of each, and from when until when.

Lines look like this; a backslash at the end of a line goes on in the next::

    INCREMENT 64300ACD_F adskflex 1.000 22-jan-2023 40 VENDOR_STRING=commercial \\
        SUPERSEDE ISSUED=23-jan-2022 SIGN="…"
    FEATURE f1 demo 1.0 permanent uncounted HOSTID=ANY SIGN=…
    PACKAGE suite demo 1.0 COMPONENTS="a b:2.0 c:1.0:4" OPTIONS=SUITE SIGN=…

Only names, dates and quantities are taken over. Keys, signatures, serial numbers, host ids and vendor strings are the
licensee's secrets: they are never part of what is returned, nor of a message, except for the beginning of the first
line of a file that is no licence file. What the daemon does with the lines is done here, too:

- ``INCREMENT`` lines of a feature add up, of ``FEATURE`` lines the first counts, a line that stands twice counts once.
- ``SUPERSEDE`` and ``UPGRADE`` change what other lines grant (``license_increments``).
- ``PACKAGE`` lines hand out nothing themselves: an ``INCREMENT`` of the package's name says how many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from pipeline.codec.flexnet.other_formats import quoted
from pipeline.codec.license_increments import Granted, Increment, in_force, raise_version
from pipeline.model.errors import InputError

_KEYWORDS: Final = frozenset({"INCREMENT", "FEATURE", "PACKAGE", "UPGRADE"})
_WITH_HOST_ID: Final = frozenset({"SERVER", "VENDOR", "DAEMON"})
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIELD: Final = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|([^\s\"]*))|(?:\"([^\"]*)\")|([^\s\"]+)")
_DATE: Final = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{1,4})", re.ASCII)
_VERSION: Final = re.compile(r"\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_QUANTITY: Final = re.compile(r"\d{1,9}", re.ASCII)
_NAME: Final = re.compile(r"[^\s\"\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")
_CENTURY_TURNS: Final = 70
"""Years of two digits from here on are of the 20th century."""


class Component(NamedTuple):
    """A feature of a package, and how many of it a licence of the package holds."""

    feature: str
    licenses: int


@dataclass(frozen=True, slots=True)
class Package:
    """Features that are handed out together. Of a suite, a checkout of a component checks the package out, too."""

    name: str
    components: tuple[Component, ...]
    is_suite: bool
    line: int


@dataclass(frozen=True, slots=True)
class LicenseFile:
    """What a licence file grants, by line. ``notes`` say, with their line, what was left out and why."""

    increments: tuple[Increment, ...]
    packages: tuple[Package, ...]
    notes: tuple[str, ...]


def read_license_file(source: str, content: bytes) -> LicenseFile:
    """Read a licence file's bytes. Raises ``InputError`` for a file that is none, quoting its first line."""
    text = _decoded(content)
    reading = _LicenseLines()
    for number, line in _logical_lines(text):
        reading.add(number, line)
    if not reading.has_lines:
        first = next((line.strip() for line in text.splitlines() if line.strip()), "")
        if first.split()[:1] and first.split()[0] in _WITH_HOST_ID:
            first = first.split()[0]
        begins = f"it begins with {quoted(first)}" if first else "it is empty"
        raise InputError(
            source,
            f"no line begins with INCREMENT, FEATURE or PACKAGE: {begins}",
            "Give the licence file that lmgrd is started with (-c)",
        )
    return LicenseFile(tuple(in_force(reading.granted)), tuple(reading.packages.values()), tuple(reading.notes))


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, those that a backslash ends joined with the next; comments left out."""
    parts: list[str] = []
    first = 1
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if not parts:
            first = number
            if line.lstrip().startswith("#"):
                continue
        stripped = line.rstrip()
        parts.append(stripped.removesuffix("\\"))
        if not stripped.endswith("\\"):
            yield first, " ".join(parts)
            parts = []
    if parts:
        yield first, " ".join(parts)


class _LicenseLines:
    """The lines of one file as they are read."""

    def __init__(self) -> None:
        self.granted: list[Granted] = []
        self.packages: dict[str, Package] = {}
        self.notes: list[str] = []
        self.has_lines = False
        self._seen: set[str] = set()
        self._features: set[str] = set()

    def add(self, number: int, line: str) -> None:
        keyword, *rest = line.split(maxsplit=1)[:2] or [""]
        keyword = keyword.upper()
        if keyword not in _KEYWORDS:
            return
        words, options = _fields(rest[0] if rest else "")
        self.has_lines = True
        name = words[0] if words else ""
        if not _NAME.fullmatch(name):
            self._note(number, f"{keyword} without a readable name is left out")
        elif keyword == "PACKAGE":
            self._package(number, name, options)
        elif " ".join(line.split()) not in self._seen:
            self._seen.add(" ".join(line.split()))
            if keyword == "UPGRADE":
                self._upgrade(number, words, options)
            else:
                self._increment(number, keyword, words, options)

    def _note(self, number: int, text: str) -> None:
        self.notes.append(f"line {number}: {text}")

    def _package(self, number: int, name: str, options: dict[str, str]) -> None:
        components = [component for text in options.get("COMPONENTS", "").split() if (component := _component(text))]
        if not components:
            self._note(number, f"PACKAGE {name} is left out: it names no COMPONENTS")
            return
        is_suite = "SUITE" in options.get("OPTIONS", "").upper().replace(",", " ").split()
        self.packages[name] = Package(name, tuple(components), is_suite, number)

    def _increment(self, number: int, keyword: str, words: list[str], options: dict[str, str]) -> None:
        granted = self._granted(number, keyword, words, options)
        if granted is None:
            return
        feature = granted.increment.feature
        if keyword == "FEATURE" and feature in self._features:
            self._note(number, f"FEATURE {feature} is left out: a server reads only the first one of a name")
            return
        if keyword == "FEATURE":
            self._features.add(feature)
        self.granted.append(granted)

    def _upgrade(self, number: int, words: list[str], options: dict[str, str]) -> None:
        """It has the version from which it raises licences before the one to which."""
        upgrade = self._granted(number, "UPGRADE", words[:2] + words[3:], options)
        if upgrade is None:
            return
        feature, quantity, from_version = words[0], upgrade.increment.quantity, _version(words[2])
        taken = 0 if from_version is None else raise_version(self.granted, upgrade, from_version)
        if not taken:
            self._note(number, f"UPGRADE {feature} is left out: no line before it grants licences that it raises")
        elif taken != quantity:
            self._note(number, f"UPGRADE {feature} raises {taken} licences, not {quantity}: there are no more")

    def _granted(self, number: int, keyword: str, words: list[str], options: dict[str, str]) -> Granted | None:
        """What a line grants by itself; ``None`` where it is left out, which a note says."""
        if len(words) < 5:
            self._note(number, f"{keyword} {words[0]} is left out: it ends before its number of licences")
            return None
        feature, daemon, version, expiry, count = words[:5]
        is_counted = count.lower() != "uncounted" and count.strip("0") != ""
        last_day, problem = _expiry(expiry)
        if problem or (is_counted and not _QUANTITY.fullmatch(count)):
            problem = problem or "its number of licences is not a number"
            self._note(number, f"{keyword} {feature} is left out: {problem}")
            return None
        issued, start = _day(options.get("ISSUED", "")), _day(options.get("START", ""))
        increment = Increment(feature, daemon, int(count) if is_counted else None, start or issued, last_day, number)
        superseded = options.get("SUPERSEDE")
        names = frozenset() if superseded is None else frozenset(superseded.split() or [feature])
        return Granted(increment, _version(version), issued, names)


def _fields(rest: str) -> tuple[list[str], dict[str, str]]:
    """The words of a line in order, and its options by name; an option without a value is ``''``, as are words."""
    words: list[str] = []
    options: dict[str, str] = {}
    for match in _FIELD.finditer(rest):
        name, in_quotes, plain, quoted_word, word = match.groups()
        if name is not None:
            options[name.upper()] = in_quotes if in_quotes is not None else plain
        else:
            words.append(quoted_word if quoted_word is not None else word)
            options.setdefault(words[-1].upper(), "")
    return words, options


def _component(text: str) -> Component | None:
    """``feature:version:licences``; the last two may be left out."""
    feature, _, rest = text.partition(":")
    count = rest.partition(":")[2]
    if not _NAME.fullmatch(feature):
        return None
    return Component(feature, int(count) if _QUANTITY.fullmatch(count) and int(count) else 1)


def _version(text: str) -> Decimal | None:
    return Decimal(text) if _VERSION.fullmatch(text) else None


def _expiry(text: str) -> tuple[date | None, str]:
    """The last valid day (``None``: for ever), and what is wrong with it (``''``: nothing)."""
    if text.lower() == "permanent" or re.fullmatch(r"\d{1,2}-[A-Za-z]{3}-0+", text, re.ASCII):
        return None, ""
    day = _day(text)
    return (day, "") if day is not None else (None, "its expiry date is none such as 31-jan-2023")


def _day(text: str) -> date | None:
    match = _DATE.fullmatch(text.strip())
    if match is None or match[2].lower() not in _MONTHS:
        return None
    year = int(match[3])
    if len(match[3]) <= 2:
        year += 1900 if year >= _CENTURY_TURNS else 2000
    try:
        return date(year, _MONTHS.index(match[2].lower()) + 1, int(match[1]))
    except ValueError:
        return None
